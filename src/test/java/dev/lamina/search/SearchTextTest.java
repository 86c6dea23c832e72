package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.nn.Dropout;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Sgd;
import dev.lamina.train.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchTextTest {
  private static final String WHOLE =
      """
      recipe:
        model:
          - flatten
          - dense: 16
          - dropout
          - dense: 10
        epochs: 9
      space:
        lr: {log_uniform: [1e-4, 1e-1]}
        batch: {choice: [32, 64]}
        optimizer: {choice: [sgd, adam]}
        optimizer.l2: {log_uniform: [1e-6, 1e-2]}
        model[2].dropout: {uniform: [0.1, 0.5]}
        model[1].dense.units: {integer: [8, 64]}
        init.weight: {choice: [he, {normal: 0.01}]}
      strategy: asha
      trials: 30
      epochs: 9
      min_epochs: 1
      """;

  private static SearchPlan parse(String text) {
    return Plans.parse("search.yaml", text);
  }

  private static List<Recipe> recipes(SearchPlan plan) {
    return plan.trials(1, plan.space()).stream().map(Trial::recipe).toList();
  }

  private static void assertComplaint(String expected, String text) {
    String complaint =
        assertThrows(
                BadInputException.class,
                () -> {
                  SearchPlan plan = parse(text);
                  plan.trials(1, plan.space());
                })
            .getMessage();
    assertEquals(1, complaint.lines().count());
    assertTrue(complaint.contains(expected), complaint);
  }

  @Test
  void valuesGoWhereThePathsPoint() {
    SearchPlan plan = parse(WHOLE);
    assertEquals(List.of(1, 3, 9), plan.rungs());
    List<Trial> trials = plan.trials(1, plan.space());
    assertEquals(30, trials.size());
    boolean hasSgd = false;
    for (Trial trial : trials) {
      Recipe recipe = trial.recipe();
      assertEquals(trial.values().get(0).number(), recipe.lr());
      double l2 = trial.values().get(3).number();
      boolean isSgd = trial.values().get(2).text().equals("sgd");
      assertEquals(
          isSgd ? new Sgd(l2) : new Adam().getClass(), isSgd ? recipe.optimizer() : recipe.optimizer().getClass());
      hasSgd |= isSgd;
      Recipe.Model.Layers model = (Recipe.Model.Layers) recipe.model();
      assertEquals(new Dropout(trial.values().get(4).number()), model.layers().get(2));
      assertEquals(9, recipe.epochs());
    }
    assertTrue(hasSgd, "an option that is never drawn tests nothing");
  }

  @Test
  void whatTheRecipeLeavesOutFollowsWhatIsVaried() {
    SearchPlan plan = parse("{space: {optimizer: {choice: [sgd, adam]}}, strategy: grid, epochs: 1}");
    assertEquals(List.of(0.1, 0.01), plan.trials(1, plan.space()).stream().map(trial -> trial.recipe().lr()).toList());
  }

  @Test
  void aPlanIsWrittenWhole() {
    SearchPlan plan = parse(WHOLE);
    SearchPlan again = parse(new SearchText().write(plan));
    assertEquals(recipes(plan), recipes(again));
    assertEquals(plan.rungs(), again.rungs());
    assertEquals(plan.seed(), again.seed());
    SearchPlan grid = parse("{space: {lr: {log_uniform: [1e-4, 1e-1], steps: 4}}, strategy: grid}");
    assertEquals(4, grid.trials());
    assertEquals(4, parse(new SearchText().write(grid)).trials());
  }

  @Test
  void truthIsWrittenAsSuch() {
    String text = new SearchText().write(parse("{recipe: {deterministic: true}, space: {lr: {uniform: [1, 2]}}}"));
    assertTrue(text.contains("deterministic: true\n"), text);
    assertTrue(parse(text).base().deterministic());
  }

  @Test
  void aRecipeMayBeAFileBesideTheSearchFile(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("base.yaml"), "model: lenet\nepochs: 4\n");
    Path file = Files.writeString(folder.resolve("search.yaml"), "recipe: base.yaml\nspace: {lr: {uniform: [1, 2]}}\n");
    SearchPlan plan = Plans.read(file);
    assertEquals("lenet", plan.base().model().name());
    assertEquals(4, plan.epochs());
    assertFalse(new SearchText().write(plan).contains("base.yaml"), "a search goes on without that file");
  }

  @Test
  void whatIsWrongIsSaidInOneLineWithItsPlace() {
    assertComplaint("search.yaml:1: spce: there is no such key; did you mean 'space'?", "spce: {}");
    assertComplaint("there is nothing to search", "trials: 3");
    assertComplaint(
        "search.yaml:2: space.lr: there is no range 'log_unifrm'; did you mean 'log_uniform'?",
        "space:\n  lr: {log_unifrm: [1, 2]}");
    assertComplaint("the lower first, got 2.0 and 1.0", "space: {lr: {uniform: [2, 1]}}");
    assertComplaint("expected a number, got 'low'", "space: {lr: {uniform: [low, 1]}}");
    assertComplaint("expected two numbers, the lower first, got [1]", "space: {lr: {uniform: [1]}}");
    assertComplaint("expected a list in brackets", "space: {lr: {uniform: 1}}");
    assertComplaint("expected a range, for example", "space: {lr: 3}");
    assertComplaint("expected one of log_uniform, uniform", "space: {lr: {steps: 3}}");
    assertComplaint("there is nothing to choose from", "space: {lr: {choice: []}}");
    assertComplaint("a choice has as many steps as values", "space: {batch: {choice: [1, 2], steps: 2}}");
    assertComplaint("data cannot be varied", "space: {data: {choice: [mnist, cifar]}}");
    assertComplaint("say how many with steps", "{strategy: grid, space: {lr: {uniform: [1, 2]}}}");
    assertComplaint("leave it out", "{strategy: grid, trials: 5, space: {lr: {uniform: [1, 2], steps: 3}}}");
    assertComplaint(
        "min_epochs: expected fewer than the 1 epochs", "{strategy: asha, epochs: 1, space: {lr: {uniform: [1, 2]}}}");
    assertComplaint("asha itself decides on epochs", "{strategy: asha, space: {epochs: {integer: [1, 2]}}}");
    assertComplaint(
        "reduction: expected 2 or more, got 1",
        "{strategy: asha, epochs: 2, reduction: 1, space: {lr: {uniform: [1, 2]}}}");
    assertComplaint(
        "steps: steps are a whole number, got '2.5'", "{strategy: grid, space: {lr: {uniform: [1, 2], steps: 2.5}}}");
    assertComplaint(
        "steps: steps are a whole number, got 'NaN'", "{strategy: grid, space: {lr: {uniform: [1, 2], steps: NaN}}}");
    assertComplaint(
        "a grid has 2 to 1000000 steps", "{strategy: grid, space: {lr: {uniform: [1, 2], steps: 1000000000}}}");
    assertComplaint("folds: expected 1", "{folds: 0, space: {lr: {uniform: [1, 2]}}}");
    assertComplaint("held out", "{recipe: {validation: 0}, space: {lr: {uniform: [1, 2]}}}");
    assertComplaint("there is no file nowhere.yaml", "{recipe: nowhere.yaml, space: {lr: {uniform: [1, 2]}}}");
  }

  @Test
  void whatWouldMakeNoDifferenceIsRefused() {
    String space = "space: {lr: {uniform: [1, 2]}}";
    assertComplaint("min_epochs: only asha compares trials on their way", "{min_epochs: 2, " + space + "}");
    assertComplaint("reduction: only asha", "{reduction: 4, strategy: grid, " + space + "}");
    for (String strategy : List.of("random", "asha")) {
      assertComplaint(
          "space: lr: only a grid has steps",
          "{strategy: " + strategy + ", epochs: 9, space: {lr: {uniform: [1, 2], steps: 3}}}");
    }
    assertComplaint("epochs: they are varied", "{epochs: 3, space: {epochs: {integer: [1, 4]}}}");
    assertComplaint("keep_every: a search keeps the best", "{recipe: {keep_every: 2}, " + space + "}");
    assertComplaint("keep_every cannot be varied", "space: {keep_every: {integer: [0, 3]}}");
    assertComplaint("statistics_every cannot be varied", "space: {statistics_every: {choice: [0, 10]}}");
  }

  @Test
  void epochsThatAreVariedAreWrittenOnce() {
    SearchPlan plan = parse("{recipe: {epochs: 7}, space: {epochs: {integer: [1, 4]}}, trials: 5}");
    SearchPlan again = parse(new SearchText().write(plan));
    assertEquals(recipes(plan), recipes(again));
  }

  @Test
  void lossesAreComparedOnlyWithTheirOwnKind() {
    String regression = "{recipe: {loss: huber, model: [{dense: 1}]}, ";
    assertComplaint(
        "loss cannot be varied for a regression", regression + "space: {loss: {choice: [mean_squared_error, l1]}}}");
    assertComplaint("loss.delta cannot be varied", regression + "space: {loss.delta: {uniform: [0.5, 2]}}}");
    assertComplaint("loss cannot be varied", "space: {loss: {choice: [softmax_cross_entropy, huber]}}");
    SearchPlan plan = parse("space: {loss: {choice: [softmax_cross_entropy, multi_class_hinge]}}");
    assertEquals(20, plan.trials(1, plan.space()).size(), "classes are compared by accuracy");
  }

  @Test
  void placesAndValuesThatNoRecipeHasAreFoundBeforeAnythingIsTrained() {
    assertComplaint("search.yaml:1: lrr: there is no such key; did you mean 'lr'?", "space: {lrr: {uniform: [1, 2]}}");
    assertComplaint("optimizer.decay: there is no such key", "space: {optimizer.decay: {uniform: [1, 2]}}");
    assertComplaint("did you mean 'beta1'?", "space: {optimizer.beta_1: {uniform: [0.1, 0.2]}}");
    assertComplaint("which has no parts; write its layers out", "space: {'model[2].dropout': {uniform: [0, 1]}}");
    assertComplaint(
        "model has 1 items, counted from 0; there is no model[4]",
        "{recipe: {model: [flatten]}, space: {'model[4].dropout': {uniform: [0, 1]}}}");
    assertComplaint("is no place in a recipe", "space: {'model[x]': {uniform: [0, 1]}}");
    assertComplaint("is no place in a recipe", "space: {'optimizer.': {uniform: [0, 1]}}");
    assertComplaint("the learning rate is a number above 0", "space: {lr: {choice: [0, -1]}}");
    assertComplaint("there is no optimizer 'adm'; did you mean 'adam'?", "space: {optimizer: {choice: [adm]}}");
    assertComplaint("expected a whole number", "space: {accumulate: {uniform: [1, 3]}}");
  }
}
