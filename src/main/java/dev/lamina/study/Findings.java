package dev.lamina.study;

import java.util.List;

/**
 * What came out of an experiment.
 *
 * @param tables the figures
 * @param figures the same to look at
 * @param pictures what weights look like
 * @param verdicts criterion by criterion; empty where an experiment only reports
 * @param notes what a reader has to know: the tuning budget, deviations from the original, doubts
 */
public record Findings(
    List<Table> tables, List<Figure> figures, List<Pictures> pictures, List<Verdict> verdicts, List<String> notes) {
  public Findings {
    tables = List.copyOf(tables);
    figures = List.copyOf(figures);
    pictures = List.copyOf(pictures);
    verdicts = List.copyOf(verdicts);
    notes = List.copyOf(notes);
  }

  /** Without pictures. */
  public Findings(List<Table> tables, List<Figure> figures, List<Verdict> verdicts, List<String> notes) {
    this(tables, figures, List.of(), verdicts, notes);
  }

  /** Whether every criterion that was tested was met; true where there is none. */
  public boolean reproduced() {
    return verdicts.stream().filter(Verdict::tested).allMatch(Verdict::reproduced);
  }
}
