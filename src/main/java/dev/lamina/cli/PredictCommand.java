package dev.lamina.cli;

import dev.lamina.data.Idx;
import dev.lamina.data.Images;
import dev.lamina.data.Picture;
import dev.lamina.device.Device;
import dev.lamina.io.BadInputException;
import dev.lamina.loss.Loss;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.TrainedModel;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina predict}. */
@Command(
    name = "predict",
    description =
        "Says what is in pictures of any size, colour or grey: the likeliest classes with their probabilities. Inputs"
            + " that are no pictures come in IDX files, as for training.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class PredictCommand implements Callable<Integer> {
  private static final int TOP = 3;

  private final Console console;

  @Parameters(index = "0", paramLabel = "RUN|FILE", description = "A run's folder, or its model.safetensors.")
  private Path place;

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "PNG, JPEG, GIF or BMP; or IDX.")
  private List<Path> files;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "auto, cuda, cuda:1, cpu or reference; that of the training unless given.")
  private String device;

  @Mixin private DeviceWishes wishes;

  @Option(
      names = "--invert",
      negatable = true,
      description =
          "Takes the negative of each picture, or (--no-invert) never. Unless given, MNIST's models, which know light"
              + " digits on dark ground, invert pictures with a light border, and say so.")
  private Boolean invert;

  PredictCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    SavedModel saved = SavedModel.find(place);
    try (Arena arena = Arena.ofConfined()) {
      List<Input> inputs = new ArrayList<>();
      for (Path file : files) {
        inputs.addAll(read(file, saved, arena));
      }
      try (Device opened = saved.open(device, wishes);
          TrainedModel model = saved.load(opened, console)) {
        double[][] predictions = model.predict(inputs.stream().map(Input::values).toList());
        for (int i = 0; i < predictions.length; i++) {
          print(inputs.get(i).name(), predictions[i], saved);
        }
      }
    }
    return Main.OK;
  }

  /** What is judged, and how lines call it. */
  private record Input(String name, HostTensor values) {}

  private List<Input> read(Path file, SavedModel saved, Arena arena) {
    TensorType example = saved.description().example();
    if (Idx.isLikely(file)) {
      List<HostTensor> examples = Idx.examples(file, example, arena);
      return IntStream.range(0, examples.size())
          .mapToObj(i -> new Input(file + "[" + i + "]", examples.get(i)))
          .toList();
    }
    if (example.dtype() != DType.U8 || example.shape().rank() != 3) {
      throw new BadInputException(
          file
              + ": the model takes inputs "
              + example
              + ", which are no pictures; name an IDX file of [n] such inputs");
    }
    return List.of(new Input(file.toString(), picture(file, saved, arena).pixels()));
  }

  private Picture picture(Path image, SavedModel saved, Arena arena) {
    Picture picture = Images.load(image, saved.description().example().shape(), arena);
    boolean lightOnDark = invert == null && saved.recipe().data().equals("mnist") && picture.hasBrightBackground();
    if (lightOnDark) {
      console.complain(image + " has a light background; its negative is judged (--no-invert keeps it as it is)");
    }
    return lightOnDark || Boolean.TRUE.equals(invert) ? picture.inverted(arena) : picture;
  }

  private void print(String input, double[] prediction, SavedModel saved) {
    List<String> names = saved.description().classNames();
    Loss.Task task = saved.recipe().loss().task();
    boolean isBinary = task == Loss.Task.BINARY && names.size() == 2 && prediction.length == 1;
    if (task != Loss.Task.CLASSES && !isBinary) {
      String values =
          String.join(
              " ",
              IntStream.range(0, prediction.length)
                  .mapToObj(i -> String.format(Locale.ROOT, "%.4f", prediction[i]))
                  .toList());
      console.line("%s: %s", input, values);
      return;
    }
    double[] probabilities = isBinary ? new double[] {1 - prediction[0], prediction[0]} : prediction;
    List<String> best =
        IntStream.range(0, probabilities.length)
            .boxed()
            .sorted(Comparator.comparingDouble(c -> -probabilities[c]))
            .limit(TOP)
            .map(c -> String.format(Locale.ROOT, "%s %.1f %%", names.get(c), 100 * probabilities[c]))
            .toList();
    console.line("%s: %s", input, String.join(", ", best));
  }
}
