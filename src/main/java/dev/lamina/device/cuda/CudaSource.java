package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Operand.Dense;
import dev.lamina.device.cuda.Operand.Dimension;
import dev.lamina.device.cuda.Operand.One;
import dev.lamina.device.cuda.Operand.Periodic;
import dev.lamina.device.cuda.Operand.Strided;
import dev.lamina.graph.Expr;
import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Expressions as CUDA C++: what one thread does for WIDTH neighbouring elements. Inputs are called {@code in0}, {@code
 * in1}, … (pointers), results {@code y0}, {@code y1}, … (arrays of WIDTH values); {@code at} is the flat index of the
 * first element and {@code count} the number of elements that exist.
 *
 * <p>The text needs {@code real.cuh} in front, and must be compiled with {@code --fmad=false}: roundings are those of
 * {@link dev.lamina.graph.lowering.Code}.
 */
final class CudaSource {
  /** Elements fewer than this are not worth wide accesses. */
  private static final long FEW = 256;

  /**
   * Accesses of 16 bytes that a thread should have under way. What an H200's memory delivers in the 0.8 µs until an
   * access is answered are some 26 KB on each multiprocessor, twice that so that there is always enough; its 2048
   * threads, of which registers leave half to three quarters, have 32 KB with one access each.
   */
  private static final int UNDER_WAY = 4;

  /** Threads that run at once on a large GPU. Fewer groups than these are better spread than held together. */
  private static final long THREADS_AT_ONCE = 132 * 2048;

  /** Statements of an element from which on there is more to compute than to wait for. */
  private static final int LONG = 48;

  private final List<Expr> exprs;
  private final Shape shape;
  private final boolean wide;
  private final SortedSet<Integer> reads = new TreeSet<>();
  private final LaneBody body;

  /** How each input lies; null where it is not read. */
  private final List<Operand> operands = new ArrayList<>();

  /**
   * The source of {@code exprs}, evaluated over {@code shape}.
   *
   * @param outputs the types that results are stored in
   */
  CudaSource(List<Expr> exprs, List<TensorType> inputs, List<DType> outputs, Shape shape) {
    this.exprs = exprs;
    this.shape = shape;
    this.wide = Expr.precision(inputs.stream().map(TensorType::dtype).toList(), outputs) == DType.F64;
    this.body = wide ? new DoubleBody(exprs, shape) : new FloatBody(exprs, outputs, shape);
    reads.addAll(body.inputs());
    body.streams().forEach(stream -> reads.add(stream.step()));
    for (int i = 0; i < inputs.size(); i++) {
      operands.add(reads.contains(i) ? Operand.of(inputs.get(i), shape) : null);
    }
  }

  /** The inputs that are read, ascending. */
  List<Integer> reads() {
    return List.copyOf(reads);
  }

  /** How input {@code index} lies under the shape. */
  Operand operand(int index) {
    return operands.get(index);
  }

  /** The type that is computed in. */
  DType value() {
    return wide ? DType.F64 : DType.F32;
  }

  /** The C++ type of an element. */
  static String typeName(DType dtype) {
    return switch (dtype) {
      case F32 -> "Float32";
      case F64 -> "Float64";
      case BF16 -> "Bfloat16";
      case F16 -> "Float16";
      case I32 -> "Int32";
      case U8 -> "UInt8";
    };
  }

  /**
   * How many elements a thread takes: 8 where 16-bit types or bytes travel, else 4, if addresses are aligned for that
   * and repeated operands begin anew at a multiple of it; else 1.
   *
   * @param addresses of all inputs, {@code outputs} of dense tensors beside them
   */
  int width(long[] addresses, List<DType> types, long[] outputs) {
    if (shape.size() < FEW) {
      return 1;
    }
    boolean narrow = types.stream().anyMatch(dtype -> dtype.bytes() <= 2);
    for (int input : reads) {
      narrow |= operands.get(input) instanceof Dense(DType dtype) && dtype.bytes() <= 2;
    }
    for (int width = narrow ? 8 : 4; width >= 4; width /= 2) {
      if (fits(width, addresses, types, outputs)) {
        return width;
      }
    }
    return 1;
  }

  /** Whether every access of {@code width} elements is aligned, and no pack reaches over the end of a repetition. */
  boolean fits(int width, long[] addresses, List<DType> types, long[] outputs) {
    for (int i = 0; i < outputs.length; i++) {
      if (!isAligned(outputs[i], types.get(i), width)) {
        return false;
      }
    }
    for (int input : reads) {
      boolean fits =
          switch (operands.get(input)) {
            case One _, Strided _ -> true;
            case Dense(DType dtype) -> isAligned(addresses[input], dtype, width);
            case Periodic(DType dtype, long period) -> period % width == 0 && isAligned(addresses[input], dtype, width);
          };
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  /**
   * How many groups of {@code width} elements a thread reads before it writes the first, where there are many: 4, 2 or
   * 1, fewer where one group has several operands or takes long.
   */
  int held(int width) {
    long accesses = 0;
    for (int input : reads) {
      if (operands.get(input) instanceof Dense(DType dtype)) {
        accesses += Math.ceilDiv(width * dtype.bytes(), 16);
      }
    }
    if (accesses == 0) {
      return 1;
    }
    long statements = body.statements(this::element).lines().count();
    int held = 1;
    while (held * accesses < UNDER_WAY
        && held * statements <= LONG
        && shape.size() / width >= 2 * held * THREADS_AT_ONCE) {
      held *= 2;
    }
    return held;
  }

  /** Whether packs of {@code width} elements lie at multiples of their size, or of 16 bytes. */
  static boolean isAligned(long address, DType dtype, int width) {
    return address % Math.min(16, width * dtype.bytes()) == 0;
  }

  /** Declarations of the inputs as parameters, each behind a comma, without the input {@code subject}. */
  String parameters(int subject) {
    return reads.stream()
        .filter(input -> input != subject)
        .map(input -> ", const " + typeName(operands.get(input).dtype()) + "* in" + input)
        .collect(Collectors.joining());
  }

  /** The same inputs as arguments. */
  String arguments(int subject) {
    return reads.stream().filter(input -> input != subject).map(input -> ", in" + input).collect(Collectors.joining());
  }

  /** Functions that {@link #body} calls. */
  String functions() {
    StringBuilder text = new StringBuilder();
    for (int input : reads) {
      if (operands.get(input) instanceof Strided(DType _, List<Dimension> dimensions)) {
        text.append("DEVICE Index place").append(input).append("(Index i) { return ");
        text.append(dimensions.stream().map(CudaSource::term).collect(Collectors.joining(" + ")));
        text.append("; }\n");
      }
    }
    return text.toString();
  }

  private static String term(Dimension dimension) {
    String coordinate = "i";
    if (dimension.inner() != 1) {
      coordinate += " / " + dimension.inner();
    }
    if (dimension.extent() != 0) {
      coordinate += " % " + dimension.extent();
    }
    return dimension.stride() == 1 ? coordinate : coordinate + " * " + dimension.stride();
  }

  /**
   * Statements that load, compute and leave results in {@code y0}, ….
   *
   * @param phase the place of the first element in a repeated operand
   * @param subject the input whose values are there already, in {@code value}; −1 for none
   */
  String body(Function<Periodic, String> phase, int subject) {
    StringBuilder text = new StringBuilder();
    for (int input : body.inputs()) {
      if (input != subject) {
        text.append(load(input, phase));
      }
    }
    int number = 0;
    for (RandomStream stream : body.streams()) {
      text.append("unsigned w%d[WIDTH];\n".formatted(number));
      text.append(
          "random_words(w%d, 0x%xull, 0x%xull, (int) in%d[0], at);\n"
              .formatted(number++, stream.seed(), stream.stream(), stream.step()));
    }
    for (int i = 0; i < exprs.size(); i++) {
      text.append("Value y").append(i).append("[WIDTH];\n");
    }
    text.append("#pragma unroll\nfor (int lane = 0; lane < WIDTH; lane++) {\n");
    text.append(body.statements(input -> input == subject ? "value[lane]" : element(input)));
    text.append("}\n");
    return text.toString();
  }

  private String load(int input, Function<Periodic, String> phase) {
    return switch (operands.get(input)) {
      case One _ -> "Value x%1$d;\nwiden(x%1$d, in%1$d[0]);\n".formatted(input);
      case Dense _ -> "Value x%1$d[WIDTH];\nload_lanes(x%1$d, in%1$d + at, count);\n".formatted(input);
      case Periodic periodic ->
          "Value x%1$d[WIDTH];\nload_lanes(x%1$d, in%1$d + %2$s, count);\n".formatted(input, phase.apply(periodic));
      case Strided _ ->
          """
          Value x%1$d[WIDTH];
          #pragma unroll
          for (int lane = 0; lane < WIDTH; lane++) {
          x%1$d[lane] = 0;
          if (lane < count) widen(x%1$d[lane], in%1$d[place%1$d(at + lane)]);
          }
          """
              .formatted(input);
    };
  }

  private String element(int input) {
    return operands.get(input) instanceof One ? "x" + input : "x" + input + "[lane]";
  }

  /** The type {@code Value} that is computed in. */
  String valueType() {
    return "typedef " + (wide ? "double" : "float") + " Value;\n";
  }

  /**
   * A function that computes the single expression, as kernels with an expression in front expect it: {@code
   * lamina_elements}, with the inputs it needs in {@code ELEMENT_PARAMETERS} and {@code ELEMENT_ARGUMENTS}.
   */
  String elementFunction() {
    return valueType()
        + "#define ELEMENT_PARAMETERS "
        + parameters(-1)
        + "\n#define ELEMENT_ARGUMENTS "
        + arguments(-1)
        + "\n"
        + functions()
        + "DEVICE void lamina_elements(Value (&value)[WIDTH], Index at, int count ELEMENT_PARAMETERS) {\n"
        + body(periodic -> "at % " + periodic.period(), -1)
        + copyToValue()
        + "}\n";
  }

  /**
   * A function that replaces values as they pass: {@code lamina_ride}, with the inputs it needs beside them in {@code
   * RIDE_PARAMETERS} and {@code RIDE_ARGUMENTS}.
   *
   * @param subject the input that {@code value} holds
   */
  String rideFunction(int subject) {
    return "#define RIDE_PARAMETERS "
        + parameters(subject)
        + "\n#define RIDE_ARGUMENTS "
        + arguments(subject)
        + "\ntypedef float Value;\n"
        + "DEVICE void lamina_ride(Value (&value)[WIDTH], Index at, int channel RIDE_PARAMETERS) {\n"
        + (parameters(subject).isEmpty() ? "" : "const int count = WIDTH;\n")
        + body(_ -> "channel", subject)
        + copyToValue()
        + "}\n";
  }

  /** {@link #rideFunction} where nothing rides. */
  static String noRide() {
    return """
    #define RIDE_PARAMETERS
    #define RIDE_ARGUMENTS
    DEVICE void lamina_ride(float (&)[WIDTH], Index, int) {}
    """;
  }

  private static String copyToValue() {
    return "#pragma unroll\nfor (int lane = 0; lane < WIDTH; lane++) value[lane] = y0[lane];\n";
  }

  /** The periods of repeated operands, each once, in the order in which the kernel of {@link #map} takes them. */
  List<Long> periods() {
    return reads.stream()
        .map(operands::get)
        .filter(Periodic.class::isInstance)
        .map(operand -> ((Periodic) operand).period())
        .distinct()
        .toList();
  }

  /**
   * The kernel {@code lamina_map}: inputs that are read, outputs, number of elements, and {@link #periods}. Where an
   * element lies in a repeated operand is counted along, so there is one division a thread. Needs the macro {@code
   * HELD}, see {@link #held}.
   */
  String map(List<DType> outputs) {
    List<Long> periods = periods();
    String phases =
        IntStream.range(0, periods.size())
            .mapToObj(p ->
                """
                int phase%1$d = (int) (group %% (period%1$d / WIDTH)) * WIDTH;
                const int step%1$d = (int) (threads %% (period%1$d / WIDTH)) * WIDTH;
                """
                    .formatted(p))
            .collect(Collectors.joining());
    String advance =
        IntStream.range(0, periods.size())
            .mapToObj(
                p -> "phase%1$d += step%1$d;\nif (phase%1$d >= period%1$d) phase%1$d -= period%1$d;\n".formatted(p))
            .collect(Collectors.joining());
    String targets = each(outputs, o -> ", " + typeName(outputs.get(o)) + "* out" + o);
    String periodParameters =
        IntStream.range(0, periods.size()).mapToObj(p -> ", int period" + p).collect(Collectors.joining());
    String work = body(periodic -> "phase" + periods.indexOf(periodic.period()), -1);
    return valueType()
        + functions()
        + "extern \"C\" __global__ void lamina_map(Index size"
        + parameters(-1)
        + targets
        + periodParameters
        + ") {\n"
        + "const Index groups = (size + WIDTH - 1) / WIDTH;\n"
        + "const Index threads = (Index) gridDim.x * blockDim.x;\n"
        + "Index group = (Index) blockIdx.x * blockDim.x + threadIdx.x;\n"
        + phases
        + "#if HELD > 1\n"
        + "for (; group + (HELD - 1) * threads < size / WIDTH; group += HELD * threads) {\n"
        + each(outputs, o -> "Value held%d[HELD][WIDTH];\n".formatted(o))
        + "#pragma unroll\nfor (int h = 0; h < HELD; h++) {\n"
        + "const Index at = (group + h * threads) * WIDTH;\n"
        + "const int count = WIDTH;\n"
        + work
        + "#pragma unroll\nfor (int lane = 0; lane < WIDTH; lane++) {\n"
        + each(outputs, o -> "held%1$d[h][lane] = y%1$d[lane];\n".formatted(o))
        + "}\n"
        + advance
        + "}\n#pragma unroll\nfor (int h = 0; h < HELD; h++) {\n"
        + each(outputs, o -> "store_lanes(out%1$d + (group + h * threads) * WIDTH, held%1$d[h]);\n".formatted(o))
        + "}\n}\n#endif\n"
        + "for (; group < groups; group += threads) {\n"
        + "const Index at = group * WIDTH;\n"
        + "const int count = size - at < WIDTH ? (int) (size - at) : WIDTH;\n"
        + work
        + each(outputs, o -> "store_lanes(out%1$d + at, y%1$d, count);\n".formatted(o))
        + advance
        + "}\n}\n";
  }

  private static String each(List<DType> outputs, IntFunction<String> text) {
    return IntStream.range(0, outputs.size()).mapToObj(text).collect(Collectors.joining());
  }
}
