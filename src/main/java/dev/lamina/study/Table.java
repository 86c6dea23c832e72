package dev.lamina.study;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table that is printed with its columns aligned, and written as CSV with all digits. Rows are added one by one. */
public final class Table {
  private final String name;
  private final String title;
  private final List<String> columns;
  private final List<List<Object>> rows = new ArrayList<>();
  private boolean detail;

  /**
   * An empty table.
   *
   * @param name of its file, without ending
   * @param title a line above it
   * @throws IllegalArgumentException if two columns have the same name but for blanks: who reads the CSV could not tell
   *     them apart
   */
  public Table(String name, String title, List<String> columns) {
    if (columns.stream().map(String::strip).distinct().count() < columns.size()) {
      throw new IllegalArgumentException(name + ": two columns have the same name: " + columns);
    }
    this.name = name;
    this.title = title;
    this.columns = List.copyOf(columns);
  }

  /** Makes it one that is written, but too long to be printed. */
  public Table detail() {
    detail = true;
    return this;
  }

  /** Whether it is written, but not printed. */
  public boolean isDetail() {
    return detail;
  }

  /**
   * Adds a row.
   *
   * @param cells numbers (NaN where there is none) or words, one for each column
   * @throws IllegalArgumentException if there are more or fewer
   */
  public Table row(Object... cells) {
    return row(List.of(cells));
  }

  /** Adds a row. */
  public Table row(List<?> cells) {
    if (cells.size() != columns.size()) {
      throw new IllegalArgumentException(
          name + ": the table has " + columns.size() + " columns, got a row of " + cells.size());
    }
    rows.add(List.copyOf(cells));
    return this;
  }

  /** Adds a row of a word and numbers. */
  public Table numbers(String first, double... values) {
    List<Object> cells = new ArrayList<>(List.of(first));
    for (double value : values) {
      cells.add(value);
    }
    return row(cells);
  }

  public String name() {
    return name;
  }

  /** Whether no row was added. */
  public boolean isEmpty() {
    return rows.isEmpty();
  }

  public String title() {
    return title;
  }

  /** Lines for a reader: numbers to the right, words to the left. */
  public List<String> lines() {
    List<List<String>> texts = new ArrayList<>(List.of(columns));
    rows.forEach(row -> texts.add(row.stream().map(Table::text).toList()));
    int[] widths =
        IntStream.range(0, columns.size())
            .map(c -> texts.stream().mapToInt(row -> row.get(c).length()).max().orElse(0))
            .toArray();
    return texts.stream()
        .map(row ->
            IntStream.range(0, row.size())
                .mapToObj(c -> padded(row.get(c), widths[c], isNumber(c)))
                .collect(Collectors.joining("  "))
                .stripTrailing())
        .toList();
  }

  private boolean isNumber(int column) {
    return rows.stream().anyMatch(row -> row.get(column) instanceof Number);
  }

  private static String padded(String text, int width, boolean right) {
    String blanks = " ".repeat(width - text.length());
    return right ? blanks + text : text + blanks;
  }

  private static String text(Object cell) {
    return switch (cell) {
      case Double number when number.isNaN() -> "-";
      case Number number -> Numbers.text(number.doubleValue());
      default -> cell.toString();
    };
  }

  /** Comma-separated values (RFC 4180), the names of the columns first. */
  public String csv() {
    StringBuilder csv = new StringBuilder();
    csv.append(columns.stream().map(Table::quoted).collect(Collectors.joining(","))).append('\n');
    for (List<Object> row : rows) {
      csv.append(row.stream().map(cell -> quoted(cell.toString())).collect(Collectors.joining(","))).append('\n');
    }
    return csv.toString();
  }

  private static String quoted(String cell) {
    return cell.matches("[^\",\\r\\n]*") ? cell : '"' + cell.replace("\"", "\"\"") + '"';
  }
}
