package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cuda.emulator.Emulator;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What a user does with a small net, from the check before training to a prediction, on every device. */
class CommandsOnDeviceTest extends CommandFixture {
  private static final Pattern ACCURACY = Pattern.compile("accuracy ([0-9.]+) %");

  @TestFactory
  Stream<DynamicTest> everyCommandDoesItsWork() {
    return Conformance.onEachDevice(this::on);
  }

  private void on(DeviceProvider provider) throws IOException {
    Conformance.require(provider);
    List<String> device = new ArrayList<>(List.of("--device", provider.name()));
    if (Conformance.isEmulated()) {
      device.addAll(List.of("--cuda-libs", Emulator.folder().toString()));
    }
    // Something for every tool: statistics of batches, dead and saturated units, averages of weights.
    String recipe =
        recipe(
                """
                data: %s
                model:
                  - conv2d: {filters: 4, kernel: 3, padding: same}
                  - batch_norm
                  - relu
                  - flatten
                  - dense: 8
                  - sigmoid
                  - dense: 3
                init: lsuv
                preprocessing: {whiten: {kind: zca, epsilon: 0.1}}
                regularisation: {l1: 1e-6, max_norm: 4}
                swa: {from: 0.5}
                statistics_every: 5
                batch: 20
                epochs: 4
                lr: 0.02
                validation: 0.1
                """
                    .formatted(data))
            .toString();
    String first = folder.resolve("first").toString();
    String second = folder.resolve("second").toString();

    succeeds(device, "check", recipe);
    succeeds(device, "find-lr", recipe, "--steps", "20", "--out", folder.resolve("rates.png").toString());
    succeeds(device, "train", recipe, "--out", first, "--keep-every", "1");
    assertTrue(accuracy() > 90, this::said);
    assertFalse(Files.readString(Path.of(first, "layers.jsonl")).isEmpty());
    succeeds(device, "train", "--resume", first, "--epochs", "5");
    succeeds(device, "train", recipe, "--from", first, "--out", second, "--epochs", "1");
    assertTrue(accuracy() > 90, this::said);

    succeeds(device, "eval", first);
    double alone = accuracy();
    succeeds(device, "eval", "--ensemble", first, first);
    assertEquals(alone, accuracy(), "a model and itself are as good as the model");
    succeeds(device, "eval", "--ensemble", first, second, Path.of(first, "epoch-003.safetensors").toString());
    assertTrue(accuracy() > 90, this::said);

    succeeds(device, "predict", first, stripe(2).toString());
    assertTrue(said().contains("stripe.png: 2 "), this::said);

    Path search = folder.resolve("search");
    succeeds(
        device,
        "search",
        recipe,
        "--vary",
        "lr=log_uniform:1e-3,1e-1",
        "--trials",
        "3",
        "--epochs",
        "1",
        "--out",
        search.toString());
    assertEquals(3, Files.readAllLines(search.resolve("trials.jsonl")).size(), this::said);

    String deep =
        recipe(
                """
                data: %s
                model: [flatten, {dense: 8}, sigmoid, {dense: 3}]
                batch: 20
                epochs: 2
                """
                    .formatted(data))
            .toString();
    String pre = folder.resolve("pre").toString();
    succeeds(device, "pretrain", deep, "--epochs", "2", "--out", pre);
    succeeds(device, "train", Path.of(pre, "recipe.yaml").toString(), "--from", pre, "--out", pre + "-fine");
  }

  private void succeeds(List<String> device, String... command) {
    String[] all = Stream.concat(Stream.of(command), device.stream()).toArray(String[]::new);
    assertEquals(Main.OK, run(all), () -> String.join(" ", all) + "\n" + said() + complaint());
  }

  /** What the last command said in its last line about it. */
  private double accuracy() {
    return ACCURACY
        .matcher(said())
        .results()
        .mapToDouble(m -> Double.parseDouble(m.group(1)))
        .reduce((_, b) -> b)
        .orElseThrow(() -> new AssertionError("no accuracy in " + said()));
  }

  private Path stripe(int place) throws IOException {
    BufferedImage image = new BufferedImage(6, 6, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < 6; y++) {
      for (int x = 0; x < 6; x++) {
        image.getRaster().setSample(x, y, 0, y / 2 == place ? 220 : 20);
      }
    }
    Path file = folder.resolve("stripe.png");
    ImageIO.write(image, "png", file.toFile());
    return file;
  }
}
