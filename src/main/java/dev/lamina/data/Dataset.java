package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Examples in memory: an input each (an image or a vector, as bytes or floats) with the index of its class, or with
 * numbers to be predicted.
 *
 * <p>A subset is a view: it shares the tensors and holds only row numbers. The tensors' arenas stay the caller's.
 * Batches are prepared on another thread, so tensors meant for {@link BatchLoader} come from a shared arena.
 */
public final class Dataset {
  private final String name;
  private final HostTensor inputs; // [rows][example]
  private final HostTensor targets; // I32 [rows], or F32 [rows][target]
  private final int[] labels; // the class of each row, on the heap because it is asked for often; empty for numbers
  private final List<String> classNames; // empty if the targets are numbers
  private final int[] rows; // example i is row rows[i] of both tensors
  private final TensorType inputType;
  private final TensorType targetType;

  private Dataset(
      String name, HostTensor inputs, HostTensor targets, int[] labels, List<String> classNames, int[] rows) {
    this.name = name;
    this.inputs = inputs;
    this.targets = targets;
    this.labels = labels;
    this.classNames = classNames;
    this.rows = rows;
    this.inputType = exampleOf(inputs);
    this.targetType = exampleOf(targets);
  }

  /**
   * Examples that each belong to one class.
   *
   * @param name how messages and reports call it
   * @param inputs U8 or F32, [n, height, width, channels] or [n, features]
   * @param labels I32, [n], each the index of a class name
   * @throws IllegalArgumentException if shapes or types do not fit, or a label is no index of a class
   */
  public static Dataset labelled(String name, HostTensor inputs, HostTensor labels, List<String> classNames) {
    int count = requireInputs(name, inputs, labels);
    if (!labels.type().equals(TensorType.of(DType.I32, count))) {
      throw new IllegalArgumentException(name + ": labels must be I32[" + count + "], got " + labels.type());
    }
    int[] classes = labels.segment().toArray(ValueLayout.JAVA_INT);
    for (int i = 0; i < count; i++) {
      if (classes[i] < 0 || classes[i] >= classNames.size()) {
        throw new IllegalArgumentException(
            name
                + ": label "
                + classes[i]
                + " of example "
                + i
                + " is none of the "
                + classNames.size()
                + " classes, which count from 0");
      }
    }
    return new Dataset(name, inputs, labels, classes, List.copyOf(classNames), IntStream.range(0, count).toArray());
  }

  /**
   * Examples that each come with numbers: a regression, or the zeros and ones of a binary head.
   *
   * @param name how messages and reports call it
   * @param inputs U8 or F32, [n, height, width, channels] or [n, features]
   * @param targets F32, [n, ...]
   * @throws IllegalArgumentException if shapes or types do not fit
   */
  public static Dataset withTargets(String name, HostTensor inputs, HostTensor targets) {
    int count = requireInputs(name, inputs, targets);
    if (targets.type().dtype() != DType.F32) {
      throw new IllegalArgumentException(name + ": targets must be F32, got " + targets.type());
    }
    return new Dataset(name, inputs, targets, new int[0], List.of(), IntStream.range(0, count).toArray());
  }

  private static int requireInputs(String name, HostTensor inputs, HostTensor targets) {
    DType dtype = inputs.type().dtype();
    if (inputs.shape().rank() < 2 || (dtype != DType.U8 && dtype != DType.F32)) {
      throw new IllegalArgumentException(
          name + ": inputs must be U8 or F32 with the examples along the first dimension, got " + inputs.type());
    }
    if (targets.shape().rank() < 1 || targets.shape().dim(0) != inputs.shape().dim(0)) {
      throw new IllegalArgumentException(
          name + ": there must be as many targets as inputs, got " + targets.type() + " for " + inputs.type());
    }
    return inputs.shape().dim(0);
  }

  /** How messages and reports call it. */
  public String name() {
    return name;
  }

  /** The number of examples. */
  public int size() {
    return rows.length;
  }

  /** Shape and type of one input, for example U8[28,28,1]. */
  public TensorType inputType() {
    return inputType;
  }

  /** Shape and type of one target: a scalar I32 for classes. */
  public TensorType targetType() {
    return targetType;
  }

  private static TensorType exampleOf(HostTensor all) {
    int[] dims = all.shape().dims();
    return new TensorType(Shape.of(Arrays.copyOfRange(dims, 1, dims.length)), all.type().dtype());
  }

  /** The names of the classes in the order of their indices; empty if the targets are numbers. */
  public List<String> classNames() {
    return classNames;
  }

  /** The number of classes; 0 if the targets are numbers. */
  public int classes() {
    return classNames.size();
  }

  /**
   * The class of example {@code index}.
   *
   * @throws IllegalStateException if the targets are numbers
   */
  public int label(int index) {
    if (classNames.isEmpty()) {
      throw new IllegalStateException(name + " has numbers as targets, no classes");
    }
    return labels[rows[index]];
  }

  /** How many examples each class has. */
  public int[] classCounts() {
    int[] counts = new int[classes()];
    for (int i = 0; i < size(); i++) {
      counts[label(i)]++;
    }
    return counts;
  }

  /** The memory of one input, not copied. */
  public HostTensor input(int index) {
    return row(inputs, rows[index], inputType);
  }

  /** The memory of one target, not copied. */
  public HostTensor target(int index) {
    return row(targets, rows[index], targetType);
  }

  private static HostTensor row(HostTensor all, int row, TensorType type) {
    return HostTensor.over(all.segment().asSlice(row * type.bytes(), type.bytes()), type);
  }

  /** A view of the given examples in the given order; an example may occur more than once. */
  public Dataset subset(int[] examples) {
    int[] picked = Arrays.stream(examples).map(example -> rows[example]).toArray();
    return new Dataset(name, inputs, targets, labels, classNames, picked);
  }

  /** A view of the first {@code count} examples, or of all if there are fewer. */
  public Dataset take(int count) {
    return new Dataset(name, inputs, targets, labels, classNames, Arrays.copyOf(rows, Math.min(count, size())));
  }

  /**
   * The same examples with the numbers 0 and 1 for their two classes: targets for one logit. The classes keep their
   * names.
   *
   * @param arena holds the targets, F32 [rows, 1]
   * @throws BadInputException if there are not two classes
   */
  public Dataset withBinaryTargets(Arena arena) {
    if (classes() != 2) {
      throw new BadInputException(
          name + " has " + classes() + " classes, a binary loss tells 2 apart; take softmax_cross_entropy");
    }
    HostTensor numbers = HostTensor.allocate(arena, TensorType.f32(labels.length, 1));
    for (int i = 0; i < labels.length; i++) {
      numbers.set(i, labels[i]);
    }
    return new Dataset(name, inputs, numbers, labels, classNames, rows);
  }

  /**
   * The same examples with other inputs.
   *
   * @param others U8 or F32, [n, ...]: one for each example, in their order
   * @param arena holds a copy of the targets
   * @throws IllegalArgumentException if there are not as many
   */
  public Dataset withInputs(HostTensor others, Arena arena) {
    HostTensor copies = HostTensor.allocate(arena, targetType.batched(size()));
    copyTargets(IntStream.range(0, size()).toArray(), 0, size(), copies);
    int count = requireInputs(name, others, copies);
    int[] classes = labels.length == 0 ? labels : Arrays.stream(rows).map(row -> labels[row]).toArray();
    return new Dataset(name, others, copies, classes, classNames, IntStream.range(0, count).toArray());
  }

  /** The same examples under another name. */
  public Dataset named(String newName) {
    return new Dataset(newName, inputs, targets, labels, classNames, rows);
  }

  /**
   * Holds a share of the examples out for validation. Each class gives the same share, to the nearest example, and the
   * choice depends on nothing but the seed and the examples' order.
   *
   * @param validationShare in [0, 1); the whole validation part has this share, rounded, but never the last example of
   *     a class
   * @throws IllegalArgumentException if the share is not in [0, 1)
   */
  public Split split(double validationShare, long seed) {
    return Split.of(this, validationShare, seed);
  }

  /**
   * Cuts the examples into parts for cross-validation: each is held out once, while the others are learned from. Each
   * class is spread over the parts as evenly as it goes, and the choice depends on nothing but the seed and the
   * examples' order.
   *
   * @param count of parts, 2 or more; whose sizes differ by at most one
   * @throws IllegalArgumentException if there are fewer than 2 parts, or fewer examples than parts
   */
  public List<Split> folds(int count, long seed) {
    return Split.folds(this, count, seed);
  }

  /**
   * Copies inputs {@code order[first]}, …, {@code order[first + count − 1]} to the first places of a batch, which has
   * the same type behind its first dimension.
   */
  void copyInputs(int[] order, int first, int count, HostTensor batch) {
    copyRows(inputs, order, first, count, batch, inputType.bytes());
  }

  /** Likewise for targets. */
  void copyTargets(int[] order, int first, int count, HostTensor batch) {
    copyRows(targets, order, first, count, batch, targetType.bytes());
  }

  /** A loop of its own: with two of these copies in one, C2 takes a second for it. */
  private void copyRows(HostTensor from, int[] order, int first, int count, HostTensor to, long bytes) {
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(from.segment(), rows[order[first + i]] * bytes, to.segment(), i * bytes, bytes);
    }
  }

  /** Whether {@code thread} may read the examples: those in a confined arena are for one thread. */
  boolean isAccessibleBy(Thread thread) {
    return inputs.segment().isAccessibleBy(thread) && targets.segment().isAccessibleBy(thread);
  }

  @Override
  public String toString() {
    return name + " (" + size() + " examples " + inputType() + ")";
  }
}
