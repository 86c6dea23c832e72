package dev.lamina.train.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lamina.data.BatchSize;
import dev.lamina.data.Preprocessing;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Border;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Residual;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Uniform;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Regularisation;
import dev.lamina.tensor.Shape;
import dev.lamina.train.EarlyStopping;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeTextTest {
  private final RecipeText text = new RecipeText();

  private Recipe parse(String yaml) {
    return text.parse("r.yaml", yaml, List.of());
  }

  private List<Layer> layers(String yaml) {
    return assertInstanceOf(Recipe.Model.Layers.class, parse(yaml).model()).layers();
  }

  private String complaint(String yaml) {
    return assertThrows(BadInputException.class, () -> parse(yaml)).getMessage();
  }

  @Test
  void anEmptyRecipeIsTheDefaultWithTheRateSpelledOut() {
    Recipe recipe = parse("");
    assertEquals("mnist", recipe.data());
    assertEquals(new Recipe.Model.Named("small-cnn"), recipe.model());
    assertEquals(new Vocabulary().usualRate(recipe.optimizer()), recipe.lr());
  }

  @Test
  void weightsAreHeldDownAsTheRecipeSays() {
    assertEquals(new Regularisation(0.001, 3), parse("regularisation: {l1: 0.001, max_norm: 3}").regularisation());
    assertNull(parse("").regularisation());
  }

  @Test
  void layersAreNamedInSnakeCaseWithTheirComponentsAsKeys() {
    List<Layer> layers =
        layers(
            """
            model:
              - conv2d: {filters: 16, kernel: 3, padding: same, bias: false}
              - relu
              - conv2d: {filters: 8, kernel: [3, 5], stride: 2, padding: [1, 1, 2, 2], bias: 0.01}
              - max_pool2d: 2
              - max_pool2d: {window: 3, stride: 2, padding: 1}
              - dropout: 0.25
              - residual:
                  body: [{dense: 4}, relu]
              - dense: {units: 10, weight: {normal: 0.01}}
            """);
    assertEquals(
        List.of(
            new Conv2d(16, 3).same().withoutBias(),
            new ReLU(),
            new Conv2d(
                8,
                new Size(3, 5),
                Size.square(2),
                new Border.Zeros(1, 1, 2, 2),
                Size.square(1),
                1,
                new Conv2d(8, 3).weight(),
                new Constant(0.01)),
            new MaxPool2d(2),
            new MaxPool2d(Size.square(3), Size.square(2), Padding.all(1)),
            new Dropout(0.25),
            new Residual(new Sequential(List.of(new Dense(4), new ReLU()))),
            new Dense(10).init(new dev.lamina.nn.init.Normal(0.01))),
        layers);
  }

  @Test
  void whatIsWrittenIsReadBackEqual() {
    Recipe recipe =
        parse(
            """
            data: some/folder
            model:
              - named: {name: stem, layer: {conv2d: {filters: 8, kernel: [3, 1], padding: 1, weight: {he: {fan: out}}}}}
              - batch_norm: {momentum: 0.01, weight: 0}
              - gelu: tanh
              - parallel: {branches: [[{conv2d: {filters: 4, kernel: 1, bias: false}}, relu], avg_pool2d: 3], merge: concat}
              - residual: {body: [{conv2d: {filters: 8, kernel: 3, padding: same}}], shortcut: {conv2d: {filters: 8, kernel: 1}}}
              - global_average_pool
              - reshape: [2, -1]
              - flatten
              - maxout: {units: 10, pieces: 3}
              - prelu
              - dense: 10
            loss: {softmax_cross_entropy: {label_smoothing: 0.1}}
            optimizer: {nesterov: {momentum: 0.95, l2: 1e-4}}
            schedule: {warmup: {epochs: 2, then: {reduce_on_plateau: {patience: 3}}}}
            clip: {by_norm: 5}
            early_stopping: {patience: 4, minimum_gain: 0.001}
            batch: full
            epochs: 7
            seed: 99
            validation: 0.2
            preprocessing: {whiten: {kind: pca, epsilon: 0.01}}
            out: here
            """
                .replace(
                    "{branches: [[{conv2d: {filters: 4, kernel: 1, bias: false}}, relu], avg_pool2d: 3]",
                    "{branches: [[{conv2d: {filters: 4, kernel: 1, bias: false}}, relu], {avg_pool2d: 3}]"));
    assertEquals(recipe, parse(text.write(recipe)));
    assertEquals(new BatchSize.Full(), recipe.batch());
    assertEquals(new EarlyStopping(4, 0.001), recipe.earlyStopping());
  }

  @Test
  void theEarlierWordForPreprocessingIsUnderstood() {
    assertEquals(new Preprocessing.ZScore(), parse("normalise: true").preprocessing());
    assertEquals(new Preprocessing.None(), parse("normalise: false").preprocessing());
    assertNull(parse("epochs: 1").preprocessing(), "what is usual for the data");
    var pca = new RecipeText.Setting("--preprocessing", "preprocessing", "pca: 20");
    assertEquals(Preprocessing.Pca.components(20), text.parse("r", "normalise: true", List.of(pca)).preprocessing());
    assertEquals(
        "r.yaml:1: normalise: it is the earlier word for preprocessing, which is given too; leave it out",
        assertThrows(BadInputException.class, () -> parse("normalise: true\npreprocessing: mean")).getMessage());
  }

  @Test
  void everyWordCanBeWrittenAndReadBack() {
    Vocabulary vocabulary = new Vocabulary();
    for (Class<?> type :
        List.of(
            Layer.class,
            dev.lamina.loss.Loss.class,
            Preprocessing.class,
            dev.lamina.optim.Optimizer.class,
            dev.lamina.optim.schedule.Schedule.class)) {
      Family family = vocabulary.family(type).orElseThrow();
      family
          .terms()
          .forEach((name, term) -> {
            Object plain = new RecordWriter(vocabulary).member(family, term.prototype());
            String yaml = new tools.jackson.dataformat.yaml.YAMLMapper().writeValueAsString(plain);
            Object read =
                new RecordReader(vocabulary).member(YamlText.parse(yaml, line -> "line " + line), family, name);
            assertEquals(term.prototype(), read);
          });
    }
  }

  @Test
  void initialValuesOfAllLayersCanBeReplacedAtOnce() {
    Recipe recipe =
        parse(
            """
            model: [{residual: {body: [{conv2d: {filters: 1, kernel: 1, bias: false}}]}}, batch_norm, {dense: 3}]
            init: {weight: {uniform: 0.5}, bias: 0.01}
            """);
    Layer expected =
        new Sequential(
            new Residual(new Sequential(List.of(new Conv2d(1, 1).withoutBias().init(new Uniform(0.5))))),
            new BatchNorm(),
            new Dense(3, new Uniform(0.5), new Constant(0.01)));
    assertEquals(expected, recipe.layers(3, Shape.of(4, 4, 1)));
    assertEquals(recipe, parse(text.write(recipe)));
  }

  @Test
  void optionsWinOverTheRecipe() {
    List<RecipeText.Setting> overrides = List.of(new RecipeText.Setting("--epochs", "epochs", "3"));
    assertEquals(3, text.parse("r.yaml", "epochs: 9", overrides).epochs());
  }

  @Test
  void textOnTheCommandLineIsTakenAsItIs() {
    for (String folder : List.of("a: b", "half #1", "[x]", "null", "1e3", "- y")) {
      List<RecipeText.Setting> overrides =
          List.of(
              new RecipeText.Setting("--data", "data", folder),
              new RecipeText.Setting("--out", "out", folder + "/run"));
      Recipe recipe = text.parse("", "", overrides);
      assertEquals(folder, recipe.data());
      assertEquals(folder + "/run", recipe.out());
      assertEquals(recipe, parse(text.write(recipe)));
    }
  }

  @Test
  void anOptionWithoutAValueIsAComplaint() {
    for (String key : List.of("data", "out", "lr", "model", "seed", "batch")) {
      for (String nothing : List.of("", " ").subList(0, key.equals("data") || key.equals("out") ? 1 : 2)) {
        List<RecipeText.Setting> overrides = List.of(new RecipeText.Setting("--" + key, key, nothing));
        BadInputException e = assertThrows(BadInputException.class, () -> text.parse("", "", overrides));
        assertEquals("--" + key + ": expected a value, got nothing", e.getMessage());
      }
    }
  }

  @Test
  void aLoneValueStandsForTheFirstComponentOfAnyRecord() {
    assertEquals(parse("init: {weight: lsuv}"), parse("init: lsuv"));
    assertEquals(new Init(new dev.lamina.nn.init.Lsuv(), null), parse("init: lsuv").init());
    assertEquals(parse("early_stopping: {patience: 3}"), parse("early_stopping: 3"));
  }

  @Test
  void whatIsNothingByDefaultMayBeWrittenSo() {
    assertEquals(parse(""), parse("lr:\ninit: null\nclip: ~\nearly_stopping:\nout:\n"));
  }

  @Test
  void aBinaryLossHasOneOutput() {
    Recipe recipe = parse("model: mlp\nloss: binary_cross_entropy");
    Sequential mlp = assertInstanceOf(Sequential.class, recipe.layers(2, Shape.of(4, 4, 1)));
    assertEquals(new Dense(1), mlp.layers().getLast());
  }

  @Test
  void anOptimizerByNameHasItsDefaults() {
    assertEquals(new Adam(), parse("optimizer: adam").optimizer());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          epoch: 3                                  | r.yaml:1: epoch: there is no such key; did you mean 'epochs'?
          epochs: three                             | r.yaml:1: epochs: expected a whole number, got 'three'
          optimizer: adm                            | r.yaml:1: optimizer: there is no optimizer 'adm'; did you mean 'adam'?
          optimizer: {adam: {beta3: 1}}             | r.yaml:1: optimizer.adam.beta3: there is no such key; did you mean 'beta1'?
          optimizer: {adam: {beta1: 2}}             | r.yaml:1: optimizer.adam: expected a beta1 of 0 or more and below 1, got 2.0
          model: [{conv2d: {filter: 3}}]            | r.yaml:1: model[0].conv2d.filter: there is no such key; did you mean 'filters'?
          model: [{conv2d: {filters: 3}}]           | r.yaml:1: model[0].conv2d: 'kernel' is missing
          model: [{dropout: 2}]                     | r.yaml:1: model[0].dropout: expected a rate of 0 or more and below 1, got 2.0
          model: [{maxout: {units: 3, pieces: 1}}]  | r.yaml:1: model[0].maxout: expected 1 unit or more of 2 to 256 pieces, got 3 of 1
          model: [relu, rellu]                      | r.yaml:1: model[1]: there is no layer 'rellu'; did you mean 'relu'?
          model: smallcnn                           | r.yaml:1: model: there is no model 'smallcnn'; did you mean 'small-cnn'?
          model: [{dense: 1, relu: 2}]              | r.yaml:1: model[0]: expected one layer, got the keys dense, relu
          model: [{relu: 3}]                        | r.yaml:1: model[0].relu: relu has no fields, got '3'
          batch: many                               | r.yaml:1: batch: the batch is a number of examples or 'full', got 'many'
          normalise: maybe                          | r.yaml:1: normalise: expected true or false, got 'maybe'
          preprocessing: z-score                    | r.yaml:1: preprocessing: there is no preprocessing 'z-score'; did you mean 'z_score'?
          preprocessing: {mean: pixels}             | r.yaml:1: preprocessing.mean.per: there is no 'pixels'; did you mean 'pixel'?
          preprocessing: {pca: 0}                   | r.yaml:1: preprocessing.pca: pca keeps 1 component or more, got 0
          preprocessing: {pca: {share: 1.5}}        | r.yaml:1: preprocessing.pca: the share of the variance is above 0 and at most 1, got 1.5
          preprocessing: {whiten: {epsilon: 0}}     | r.yaml:1: preprocessing.whiten: the epsilon of whitening is a number above 0, got 0.0
          epochs: 0                                 | r.yaml: epochs: expected 1 or more, got 0
          accumulate: 0                             | r.yaml: accumulate: expected 1 or more passes, got 0
          threads: -1                               | r.yaml: threads: expected 1 to 1024, or 0 for one on each core, got -1
          threads: 100000                           | r.yaml: threads: expected 1 to 1024, or 0 for one on each core, got 100000
          data:                                     | r.yaml:1: data: expected a value, got nothing
          device:                                   | r.yaml:1: device: expected a value, got nothing
          loss:                                     | r.yaml:1: loss: expected a value, got nothing
          optimizer: ~                              | r.yaml:1: optimizer: expected a value, got nothing
          schedule: null                            | r.yaml:1: schedule: expected a value, got nothing
          model: [relu, null]                       | r.yaml:1: model[1]: expected a value, got nothing
          model: [{sequential: [relu, ]}, ~]        | r.yaml:1: model[1]: expected a value, got nothing
          init: [he]                                | r.yaml:1: init: expected keys and values (weight, bias), got a list
          init: hey                                 | r.yaml:1: init.weight: there is no initializer 'hey'; did you mean 'he'?
          xx: 3                                     | r.yaml:1: xx: there is no such key; there are data, model
          lr: -1                                    | r.yaml: the learning rate is a number above 0, got -1.0
          epochs:                                   | r.yaml:1: epochs: expected a value, got nothing
          - 1                                       | r.yaml:1: a recipe has keys and values, got a list
          """)
  void complaintsSayWhereWhatAndWhatToDo(String yaml, String expected) {
    String complaint = complaint(yaml);
    assertEquals(expected, complaint.substring(0, Math.min(expected.length(), complaint.length())));
  }

  @Test
  void complaintsNameTheLine() {
    assertEquals(
        "r.yaml:4: model[1].dense.units: expected a whole number, got 'ten'",
        complaint(
            """
            model:
              - relu
              - dense:
                  units: ten
            """));
  }

  @Test
  void aKeyGivenTwiceIsAComplaint() {
    String complaint = complaint("epochs: 1\nepochs: 2\n");
    assertEquals("r.yaml:2", complaint.substring(0, 8), complaint);
  }

  @Test
  void brokenYamlIsAComplaintInOneLine() {
    String complaint = complaint("model: [relu\nepochs: 3\n");
    assertEquals(1, complaint.lines().count());
    assertEquals("r.yaml:", complaint.substring(0, 7));
  }
}
