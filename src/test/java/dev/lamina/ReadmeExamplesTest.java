package dev.lamina;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Scope;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Constant;
import dev.lamina.optim.Adam;
import dev.lamina.tensor.Shape;
import dev.lamina.train.TrainedModel;
import dev.lamina.train.Trainer;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The README's Java, run on a little data; and the README quotes it word for word. */
class ReadmeExamplesTest {

  // README: train
  static double train(int examples, int epochs) {
    Layer model =
        new Sequential(
            new Conv2d(16, 3).same().withoutBias(),
            new BatchNorm(),
            new ReLU(),
            new MaxPool2d(2),
            new Conv2d(32, 3).same().withoutBias(),
            new BatchNorm(),
            new ReLU(),
            new MaxPool2d(2),
            new Flatten(),
            new Dropout(0.25),
            new Dense(10));
    try (Arena memory = Arena.ofShared();
        Device device = new Devices().open("auto", DeviceOptions.DEFAULT)) {
      DataSource mnist = DataSource.open("mnist");
      Dataset images = mnist.train(memory).take(examples);
      Trainer trainer = new Trainer(device, model).optimizer(new Adam(), 0.003).epochs(epochs).batch(128);
      try (TrainedModel trained = trainer.fit(images)) {
        trained.save(Path.of("target", "digits.safetensors"));
        return trained.evaluate(mnist.test(memory)).accuracy();
      }
    }
  }

  // README: end

  // README: custom
  static final Activation SWISH = x -> Exprs.mul(x, Exprs.sigmoid(x));

  record Scale(double initial) implements Layer {
    @Override
    public Tensor forward(Tensor x, Scope scope) {
      Tensor factor = scope.parameter("factor", Shape.of(x.shape().last()), new Constant(initial), false);
      return x.times(factor);
    }
  }

  // README: end

  @Test
  void theExampleLearnsDigits() {
    assertTrue(train(2_000, 3) > 0.7);
  }

  @Test
  void ownLayersAndActivationsAreTrainedLikeOthers() {
    Layer model = new Sequential(new Flatten(), new Dense(32), SWISH, new Scale(1), new Dense(10));
    try (Arena memory = Arena.ofShared();
        Device device = new Devices().open("cpu", DeviceOptions.DEFAULT)) {
      DataSource mnist = DataSource.open("mnist");
      Trainer trainer = new Trainer(device, model).optimizer(new Adam(), 0.003).epochs(3).batch(64);
      try (TrainedModel trained = trainer.fit(mnist.train(memory).take(4_000))) {
        assertTrue(trained.evaluate(mnist.test(memory)).accuracy() > 0.8);
        assertTrue(trained.compiled().weights(memory).containsKey("scale1.factor"));
      }
    }
  }

  @Test
  void theRecipeOfTheReadmeIsOne() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    String yaml = readme.substring(readme.indexOf("```yaml\n") + 8);
    Recipe recipe = new RecipeText().parse("README.md", yaml.substring(0, yaml.indexOf("```")), List.of());
    try (Arena memory = Arena.ofShared();
        Device device = new Devices().open("cpu", DeviceOptions.DEFAULT)) {
      Dataset few = DataSource.open("mnist").train(memory).take(600);
      Layer model = recipe.layers(few.classes(), few.inputType().shape());
      try (TrainedModel trained = new Trainer(device, model).options(recipe.options().withEpochs(1)).fit(few)) {
        assertEquals(4, trained.report().steps());
      }
    }
  }

  @Test
  void theReadmeShowsWhatIsTestedHere() throws IOException {
    String source = Files.readString(Path.of("src/test/java/dev/lamina/ReadmeExamplesTest.java"));
    String readme = Files.readString(Path.of("README.md"));
    String[] parts = source.split("  // README: [a-z]+\n", -1);
    assertEquals(5, parts.length);
    for (String example : new String[] {parts[1], parts[3]}) {
      assertTrue(
          readme.contains(example.strip().indent(0).replaceAll("(?m)^  ", "").strip()),
          "the README lacks:\n" + example);
    }
  }
}
