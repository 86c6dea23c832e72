package dev.lamina.cli;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.DefaultProgressBarRenderer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/** The library's bar without its counts and times: the figures behind it need the place, even in 80 columns. */
final class EpochBar extends DefaultProgressBarRenderer {
  private EpochBar() {
    super(
        ProgressBarStyle.COLORFUL_UNICODE_BAR,
        "",
        1,
        false,
        new DecimalFormat("0", DecimalFormatSymbols.getInstance(Locale.ROOT)),
        ChronoUnit.SECONDS,
        false,
        _ -> Optional.empty());
  }

  /** A bar in {@code line}, which whoever closes the bar takes away. */
  static ProgressBar open(StatusLine line, String name, long max) {
    return new ProgressBarBuilder()
        .setTaskName(name)
        .setInitialMax(max)
        .setUpdateIntervalMillis(200)
        .setRenderer(new EpochBar())
        .setConsumer(new OneLine(line))
        .build();
  }

  /**
   * Draws over the same line again and again. The library's own consumer counts two colours in a row as visible and
   * cuts the line by as much; and it ends the line when it is closed, instead of leaving it to what comes next.
   */
  private record OneLine(StatusLine line) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return line.room();
    }

    @Override
    public void accept(String text) {
      line.draw(text);
    }

    @Override
    public void close() {}
  }

  @Override
  protected String ratio(ProgressState progress) {
    return "";
  }

  @Override
  public String render(ProgressState progress, int maxLength) {
    String elapsed = "\\(\\d+:\\d\\d:\\d\\d\\) +";
    String line = super.render(progress, maxLength);
    // What goes from the line makes room for as much more of it.
    int freed = line.length() - line.replaceFirst(elapsed, "").length();
    return super.render(progress, maxLength + freed).replaceFirst(elapsed, "");
  }
}
