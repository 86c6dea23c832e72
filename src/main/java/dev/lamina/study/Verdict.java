package dev.lamina.study;

/**
 * One criterion of a claim, and whether it was met.
 *
 * @param criterion a sentence
 * @param measured the figure that came out
 * @param claimed the figure that was published, or what the theory says
 * @param tolerance how far they may lie apart
 * @param reproduced whether they do not
 * @param other the data that the criterion was made for where this is another, so that nothing was tested; null if it
 *     was
 */
public record Verdict(
    String criterion, String measured, String claimed, String tolerance, boolean reproduced, String other) {

  /** The verdict on data that the criterion is for. */
  public Verdict(String criterion, String measured, String claimed, String tolerance, boolean reproduced) {
    this(criterion, measured, claimed, tolerance, reproduced, null);
  }

  /** No verdict: the criterion was made for data that this is not. */
  public Verdict madeFor(String data) {
    return new Verdict(criterion, measured, claimed, tolerance, false, data);
  }

  /** Whether the criterion is for the data that it was held against. */
  public boolean tested() {
    return other == null;
  }

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
    return (!tested() ? "not tested:     " : reproduced ? "reproduced:     " : "NOT reproduced: ")
        + criterion
        + " (measured "
        + measured
        + "; claimed "
        + claimed
        + (tolerance.equals("none") ? "" : "; tolerance " + tolerance)
        + (tested() ? "" : "; made for " + other + ", this is other data")
        + ")";
  }
}
