package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Stripes;
import dev.lamina.io.Safetensors;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** {@code lamina eval} and {@code lamina predict}: what becomes of a trained model. */
class TrainedModelTest extends CommandFixture {
  private static final int SIDE = 6;

  @Test
  void modelsOnTheWayAreKeptAndJudgedTogether() throws IOException {
    Path run = folder.resolve("kept");
    String text = "\nmodel: [flatten, {dense: 3}]\ndevice: reference\nepochs: 4\nbatch: 20\nkeep_every: 2";
    String recipe = recipe("data: " + data + text).toString();
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString()), this::complaint);
    assertFalse(Files.exists(run.resolve("epoch-001.safetensors")));
    String second = run.resolve("epoch-002.safetensors").toString();
    String fourth = run.resolve("epoch-004.safetensors").toString();
    assertEquals(Main.OK, run("eval", "--ensemble", second, fourth, run.toString()), this::complaint);
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("mean accuracy of the 3 members")), this::said);
    assertComplaint("--ensemble", "eval", second, fourth);
    assertComplaint("name more than", "eval", "--ensemble", second);
    assertComplaint("keep every: expected 0 or more epochs, got -1", "train", recipe, "--keep-every", "-1");
  }

  @Test
  void aTrainedModelIsJudgedAndUsed() throws IOException {
    Path run = trained();
    assertEquals(Main.OK, run("eval", run.toString()));
    assertTrue(outLines().getFirst().contains("30 examples"), outLines().getFirst());
    assertEquals(Main.OK, run("eval", run.resolve("model.safetensors").toString(), "--json"));
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("accuracy").asDouble());

    // Of another size and in colour: a bright stripe in the last third.
    BufferedImage image = new BufferedImage(30, 60, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 30 * 20; i++) {
      image.setRGB(i % 30, 40 + i / 30, 0xf0f0f0);
    }
    Path picture = folder.resolve("picture.png");
    ImageIO.write(image, "png", picture.toFile());
    assertEquals(Main.OK, run("predict", run.toString(), picture.toString(), picture.toString()));
    assertEquals(2, outLines().size());
    assertTrue(outLines().getFirst().startsWith(picture + ": 2 "), outLines().getFirst());
  }

  @Test
  void inputsThatAreNoPicturesComeAsTheyDidForTraining() throws IOException {
    Path vectors = Files.createDirectories(folder.resolve("vectors"));
    for (String part : List.of("train", "t10k")) {
      int count = part.equals("train") ? 60 : 6;
      ByteBuffer inputs = ByteBuffer.allocate(12 + count * 8).putInt(0xD02).putInt(count).putInt(2);
      ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
      for (int i = 0; i < count; i++) {
        // Two classes that only the first feature tells apart, in a small part of its range.
        inputs.putFloat(1000 + i % 2 + 0.01f * (i % 7)).putFloat(i % 5);
        labels.put((byte) (i % 2));
      }
      Files.write(vectors.resolve(part + "-images-idx2-float"), inputs.array());
      Files.write(vectors.resolve(part + "-labels-idx1-ubyte"), labels.array());
    }
    Path recipe =
        recipe(
            "{data: %s, model: [{dense: 2}], preprocessing: min_max, device: reference, batch: 6, epochs: 20, lr: 0.1}"
                .formatted(vectors));
    Path run = folder.resolve("run");
    assertEquals(Main.OK, run("train", recipe.toString(), "--out", run.toString()), this::complaint);
    Path test = vectors.resolve("t10k-images-idx2-float");
    assertEquals(Main.OK, run("predict", run.toString(), test.toString()), this::complaint);
    assertEquals(6, outLines().size());
    for (int i = 0; i < 6; i++) {
      assertTrue(outLines().get(i).startsWith(test + "[" + i + "]: " + i % 2 + " "), this::said);
    }
    assertComplaint(
        "holds U8[6], expected [n] inputs F32[2]",
        "predict",
        run.toString(),
        vectors.resolve("t10k-labels-idx1-ubyte").toString());
    Path picture = Files.write(folder.resolve("picture.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G'});
    assertComplaint("which are no pictures", "predict", run.toString(), picture.toString());
    assertComplaint("nowhere", "predict", run.toString(), "nowhere");
  }

  @Test
  void imagesCanComeAsIdxToo() throws IOException {
    Path run = trained();
    Path test = data.resolve("t10k-images-idx3-ubyte");
    assertEquals(Main.OK, run("predict", run.toString(), test.toString()), this::complaint);
    assertEquals(30, outLines().size());
    assertTrue(outLines().get(4).startsWith(test + "[4]: 1 "), this::said);
  }

  @Test
  void twoClassesAreToldApartByOneLogit() throws IOException {
    for (String part : List.of("train", "t10k")) {
      Path labels = data.resolve(part + "-labels-idx1-ubyte");
      byte[] bytes = Files.readAllBytes(labels);
      for (int i = 8; i < bytes.length; i++) {
        bytes[i] = (byte) Math.min(bytes[i], 1);
      }
      Files.write(labels, bytes);
    }
    Files.writeString(data.resolve("classes.txt"), "first\nother\n");
    String recipe =
        """
        data: %s
        model: [flatten, {dense: 8}, relu, {dense: 1}]
        loss: binary_cross_entropy
        device: reference
        batch: 20
        epochs: 4
        lr: 0.02
        """;
    Path run = folder.resolve("run");
    String file = recipe(recipe.formatted(data)).toString();
    assertEquals(Main.OK, run("train", file, "--out", run.toString(), "--json"), this::complaint);
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("test_accuracy").asDouble());
    assertEquals(Main.OK, run("eval", run.toString(), "--json"), this::complaint);
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("accuracy").asDouble());
    Path picture = folder.resolve("picture.png");
    BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 2 * SIDE; i++) {
      image.getRaster().setSample(i % SIDE, i / SIDE, 0, 240);
    }
    ImageIO.write(image, "png", picture.toFile());
    assertEquals(Main.OK, run("predict", run.toString(), picture.toString()));
    assertTrue(outLines().getFirst().matches(".*: first \\d+\\.\\d %, other \\d+\\.\\d %"), outLines().getFirst());

    Path two = recipe(recipe.replace("{dense: 1}", "{dense: 2}").formatted(data));
    assertComplaint("a binary loss takes one logit", "train", two.toString(), "--out", folder.resolve("x").toString());
    Stripes.THREE.write(data, "train", 120);
    Files.delete(data.resolve("classes.txt"));
    Path three = recipe(recipe.formatted(data));
    assertComplaint("has 3 classes, a binary loss tells 2 apart", "train", three.toString());
  }

  @Test
  void whatCouldBeTrainedWithLittleMemoryCanBeUsedWithIt() throws IOException {
    Path run = folder.resolve("small");
    Path recipe =
        recipe(
            "{data: %s, model: [{conv2d: {filters: 40, kernel: 3, padding: same}}, relu, flatten, {dense: 3}]}"
                .formatted(data));
    String limit = "600KiB";
    List<String> train =
        List.of("train", recipe.toString(), "--epochs", "1", "--device", "cpu", "--memory-limit", limit);
    assertComplaint("batch 64 needs ", train.toArray(String[]::new));
    List<String> smaller = new ArrayList<>(train);
    smaller.addAll(List.of("--batch", "4", "--out", run.toString()));
    assertEquals(Main.OK, run(smaller.toArray(String[]::new)), this::complaint);
    assertEquals(Main.OK, run("eval", run.toString(), "--memory-limit", limit), this::complaint);
    assertComplaint("batch 1 needs", "eval", run.toString(), "--memory-limit", "1KiB");
    List<String> profile =
        List.of("profile", recipe.toString(), "--steps", "1", "--device", "cpu", "--memory-limit", "24MiB");
    assertEquals(Main.OK, run(profile.toArray(String[]::new)), this::complaint);
  }

  @Test
  void filesThatAreNoModelAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("note.txt"), "not a model");
    assertComplaint("there is no file or run", "eval", folder.resolve("none").toString());
    assertComplaint("is no run: there is no recipe.yaml in it", "eval", data.toString());
    assertComplaint(file.toString(), "eval", file.toString());
    assertComplaint("is no run", "train", "--resume", data.toString());
    Path empty = folder.resolve("empty.safetensors");
    Safetensors.write(empty, new LinkedHashMap<>(), Map.of("lamina.model", "{}"));
    assertComplaint(
        "the description of the model cannot be read (dtype, shape or classes are missing)", "eval", empty.toString());
  }
}
