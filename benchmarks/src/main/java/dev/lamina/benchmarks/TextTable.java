package dev.lamina.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Columns of text: the leading ones to the left, those of numbers to the right. */
final class TextTable {
  private final int textColumns;
  private final List<List<String>> rows = new ArrayList<>();

  /**
   * A table of a head.
   *
   * @param textColumns how many columns, from the first, hold text
   */
  TextTable(int textColumns, List<String> head) {
    this.textColumns = textColumns;
    rows.add(head);
  }

  void row(List<String> cells) {
    rows.add(List.copyOf(cells));
  }

  /** {@code value} in about four digits, {@code -} for NaN. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "-";
    }
    double size = Math.abs(value);
    String format =
        size == 0 || size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : size >= 1e-3 ? "%.4f" : "%.1e";
    return size >= 1e7 ? String.format(Locale.ROOT, "%.1e", value) : String.format(Locale.ROOT, format, value);
  }

  /** A share as percentage, {@code -} for NaN. */
  static String percent(double share) {
    return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  @Override
  public String toString() {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    var text = new StringBuilder();
    for (List<String> row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String gap = " ".repeat(widths[i] - row.get(i).length());
        line.append("  ").append(i < textColumns ? row.get(i) + gap : gap + row.get(i));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
