package dev.lamina.study;

/**
 * One criterion of a claim, and whether it was met.
 *
 * @param criterion a sentence
 * @param measured the figure that came out
 * @param claimed the figure that was published, or what the theory says
 * @param tolerance how far they may lie apart
 * @param reproduced whether they do not
 */
public record Verdict(String criterion, String measured, String claimed, String tolerance, boolean reproduced) {

  /** The verdict on a figure that may differ from the claimed one by a share of it. */
  public static Verdict within(String criterion, double measured, double claimed, double share) {
    boolean near = Math.abs(measured - claimed) <= share * Math.abs(claimed);
    return new Verdict(
        criterion, Numbers.text(measured), Numbers.text(claimed), "within " + Numbers.percent(share), near);
  }

  /** The verdict on something that can only be true or false. */
  public static Verdict that(String criterion, String measured, String claimed, boolean reproduced) {
    return new Verdict(criterion, measured, claimed, "none", reproduced);
  }

  /** As a user reads it. */
  public String line() {
    return (reproduced ? "reproduced:     " : "NOT reproduced: ")
        + criterion
        + " (measured "
        + measured
        + "; claimed "
        + claimed
        + (tolerance.equals("none") ? "" : "; tolerance " + tolerance)
        + ")";
  }
}
