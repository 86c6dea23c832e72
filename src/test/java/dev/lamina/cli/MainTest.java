package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line as a user meets it, whatever the command, mistakes included. */
class MainTest extends CommandFixture {
  @Test
  void mistypedWordsGetTheNearestOne() throws IOException {
    assertComplaint("there is no option '--eopchs'; did you mean '--epochs'?", "train", "--eopchs", "3");
    assertComplaint("there is no command 'trian'; did you mean 'train'?", "trian");
    assertComplaint("--optimizer: there is no optimizer 'adm'; did you mean 'adam'?", "train", "--optimizer", "adm");
    assertComplaint("--model: there is no model 'lennet'; did you mean 'lenet'?", "train", "--model", "lennet");
    assertComplaint(
        "--preprocessing: there is no preprocessing 'whitten'; did you mean 'whiten'?",
        "train",
        "--preprocessing",
        "whitten");
    assertComplaint("there is no device 'cup'; did you mean 'cpu'?", "train", "--device", "cup");
    Path recipe = recipe("epochs: 3\nbacth: 32\n");
    assertComplaint(recipe + ":2: bacth: there is no such key; did you mean 'batch'?", "train", recipe.toString());
  }

  @Test
  void valuesOfTheWrongKindAreAnsweredAsThoseOfRecipes() {
    assertComplaint("--lr: expected a number, got 'x'; see lamina pretrain --help", "pretrain", "--lr", "x");
    assertComplaint("--from: expected a number, got 'x'; see lamina find-lr --help", "find-lr", "--from", "x");
    assertComplaint("--threads: expected a whole number, got 'x'", "study", "symmetry", "--threads", "x");
    assertComplaint("--parallel: expected a whole number, got '1.5'", "search", "--parallel", "1.5");
    assertComplaint("--json: takes no value, got 'yes'", "eval", "run", "--json=yes");
    assertComplaint("--out: expected a value (DIR), got nothing; see lamina train --help", "train", "--out");
  }

  @Test
  void whatIsMissingIsNamedUnlessItIsMisspelt() {
    assertComplaint("there is no IMAGE; see lamina predict --help", "predict", "run");
    assertComplaint("there is no RUN|FILE; see lamina eval --help", "eval");
    assertComplaint("there is no option '--devise'; did you mean '--device'?", "predict", "run", "--devise", "cpu");
  }

  /** With any locale: no name has the character 0. */
  @Test
  void namesThatNoFileCanHaveAreOneLine() {
    assertComplaint("is no name of a file in this locale; for letters beyond ASCII set LC_ALL=C.UTF-8", "train", "a\0");
    assertComplaint("is no name of a file in this locale", "find-lr", "--out", "a\0");
    assertComplaint("is no name of a file in this locale", "eval", "a\0");
    assertComplaint("is no name of a file in this locale", "summary", "a\0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "summary", "profile"})
  void limitsOfMemoryThatAreNoneAreRefused(String command) {
    assertComplaint("--memory-limit: expected a size like 8GiB, 512MiB or 80%", command, "--memory-limit", "8");
    assertComplaint("--memory-limit: expected a size like", command, "--memory-limit", "-1GiB");
    assertComplaint("--memory-limit: expected a size like", command, "--memory-limit=");
    assertComplaint("--memory-limit: a limit of memory is more than nothing", command, "--memory-limit", "0GiB");
    assertComplaint("--memory-limit: a share of memory is above 0%", command, "--memory-limit", "101%");
    assertComplaint(
        "there is no option '--memory-limt'; did you mean '--memory-limit'?", command, "--memory-limt", "1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "pretrain",
        "eval",
        "predict",
        "devices",
        "summary",
        "profile",
        "search",
        "study",
        "check",
        "find-lr"
      })
  void everyCommandExplainsItself(String command) {
    assertEquals(Main.OK, run(command, "--help"));
    assertTrue(outLines().getFirst().startsWith("Usage: lamina " + command), outLines().getFirst());
    assertTrue(outLines().stream().allMatch(line -> line.length() <= 80));
  }

  @ParameterizedTest
  @ValueSource(strings = {"summary", "profile", "check", "find-lr"})
  void whatIsLookedAtIsNamedTheSameWayEverywhere(String command) {
    assertEquals(Main.OK, run(command, "--help"));
    assertTrue(said().contains("A recipe, the name of a model, or a run; the\n"), said());
    assertTrue(said().contains(" auto, cuda, cuda:1, cpu or reference.\n"), said());
  }

  @Test
  void devicesAreListed() {
    assertEquals(Main.OK, run("devices"));
    assertTrue(outLines().stream().anyMatch(line -> line.matches("cpu +available .*")), said());
    assertTrue(outLines().stream().anyMatch(line -> line.matches("reference +available .*")), said());
  }
}
