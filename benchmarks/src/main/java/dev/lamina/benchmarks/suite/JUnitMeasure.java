package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs tests with JUnit's console, in a process of their own, and counts. */
@Command(name = "tests", description = "Runs tests and prints one JSON object.")
final class JUnitMeasure implements Callable<Integer> {
  private static final int FAILURES_SHOWN = 20;

  @Option(names = "--select", required = true, description = "package:… or class:… as JUnit's console has it.")
  private List<String> selected;

  @Option(names = "--without", description = "Regular expressions of classes to leave out.")
  private List<String> without = List.of();

  @Option(names = "-D", description = "System properties of the tests.")
  private List<String> properties = List.of();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path reports = Files.createTempDirectory("lamina-tests-");
    int status = new ProcessBuilder(command(reports)).inheritIO().start().waitFor();
    Map<String, Object> line = counts(reports);
    new JsonLines(System.out).write(line);
    // A run in which everything was skipped proves nothing.
    return status == 0 && (int) line.get("passed") > 0 ? 0 : 1;
  }

  private List<String> command(Path reports) {
    String lib = System.getProperty("lamina.bundle") + "/lib/";
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(List.of("@" + lib + "java.options", "-Xmx3g"));
    properties.forEach(property -> command.add("-D" + property));
    String console;
    try (Stream<Path> jars = Files.list(Path.of(lib, "junit"))) {
      console = jars.findFirst().orElseThrow().toString();
    } catch (IOException e) {
      throw new IllegalStateException("the bundle has no folder lib/junit", e);
    }
    command.addAll(List.of("-cp", lib + "tests.jar:" + lib + "lamina.jar:" + console));
    command.addAll(List.of("org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner"));
    command.addAll(List.of("--disable-ansi-colors", "--details=summary", "--fail-if-no-tests"));
    command.addAll(List.of("--reports-dir", reports.toString()));
    selected.forEach(selector -> command.add("--select=" + selector));
    without.forEach(pattern -> command.add("--exclude-classname=" + pattern));
    return command;
  }

  private static Map<String, Object> counts(Path reports) throws IOException {
    int all = 0;
    int skipped = 0;
    List<String> failed = new ArrayList<>();
    try (Stream<Path> files = Files.list(reports)) {
      for (Path file : files.filter(name -> name.toString().endsWith(".xml")).toList()) {
        NodeList cases =
            DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getElementsByTagName("testcase");
        for (int i = 0; i < cases.getLength(); i++) {
          var test = (Element) cases.item(i);
          all++;
          if (test.getElementsByTagName("skipped").getLength() > 0) {
            skipped++;
          } else if (hasFailed(test)) {
            failed.add(test.getAttribute("classname") + " " + test.getAttribute("name"));
          }
        }
      }
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException("the report of JUnit cannot be read: " + e.getMessage(), e);
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "tests");
    line.put("passed", all - skipped - failed.size());
    line.put("failed", failed.size());
    line.put("skipped", skipped);
    line.put("failures", failed.stream().limit(FAILURES_SHOWN).toList());
    return line;
  }

  private static boolean hasFailed(Element test) {
    return test.getElementsByTagName("failure").getLength() + test.getElementsByTagName("error").getLength() > 0;
  }
}
