package dev.lamina.conformance;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs single operations on a device and checks what every kernel owes besides its values: it writes nothing but its
 * outputs and its workspace, gives the same bits the second time, and the same bits in place where it says that it can.
 */
public final class RunOp {
  /** Every tensor lies between two such zones, in bytes. */
  private static final long GUARD = 64;

  private static final byte UNTOUCHED = 0x5a;

  private final Device device;
  private final Arena arena;
  private final Op op;
  private final List<DeviceTensor> guards = new ArrayList<>();

  private RunOp(Device device, Arena arena, Op op) {
    this.device = device;
    this.arena = arena;
    this.op = op;
  }

  /**
   * The outputs of {@code op}, in memory of {@code arena}.
   *
   * @throws AssertionError if the kernel breaks one of the rules that hold for all
   */
  public static List<HostTensor> run(Device device, Arena arena, Op op, List<HostTensor> inputs) {
    return new RunOp(device, arena, op).checked(inputs);
  }

  /** The first output of {@code op}. */
  public static HostTensor run(Device device, Arena arena, Op op, HostTensor... inputs) {
    return run(device, arena, op, List.of(inputs)).getFirst();
  }

  private List<HostTensor> checked(List<HostTensor> inputs) {
    List<TensorType> types = inputs.stream().map(HostTensor::type).toList();
    List<TensorType> outputs = TypeInference.infer(op, types);
    Kernel kernel = device.prepare(op, types);
    List<HostTensor> results = apart(kernel, inputs, outputs);
    if (kernel.keptBytes() > 0) {
      checkKept(kernel, inputs, outputs, results);
    }
    for (int i = 0; i < types.size(); i++) {
      for (int o = 0; o < outputs.size(); o++) {
        if (kernel.canShare(i, o)) {
          requireSame(results, inPlace(kernel, inputs, outputs, i, o), "in place of input " + i + ", output " + o);
        }
      }
    }
    return results;
  }

  private List<HostTensor> apart(Kernel kernel, List<HostTensor> inputs, List<TensorType> outputs) {
    guards.clear();
    try (Buffer memory = device.allocate(room(inputs, outputs, kernel))) {
      Layout layout = new Layout(memory);
      List<DeviceTensor> in = upload(layout, inputs);
      List<DeviceTensor> out = outputs.stream().map(layout::next).toList();
      Step step = kernel.bind(in, out, workspace(layout, kernel));
      step.run();
      List<HostTensor> first = download(out);
      step.run();
      List<HostTensor> second = download(out);
      requireSame(first, second, "in a second run");
      requireSame(inputs, download(in), "in its inputs, which it must not write,");
      requireGuards();
      return first;
    }
  }

  /** What is kept of the second input is used as long as that is said to be the same, and then made anew. */
  private void checkKept(Kernel kernel, List<HostTensor> inputs, List<TensorType> outputs, List<HostTensor> results) {
    List<HostTensor> others = new ArrayList<>(inputs);
    others.set(1, HostTensor.allocate(arena, inputs.get(1).type()));
    List<HostTensor> ofZeros = apart(kernel, others, outputs);
    guards.clear();
    TensorType bytes = TensorType.of(DType.U8, Math.toIntExact(kernel.keptBytes()));
    try (Buffer memory = device.allocate(room(inputs, outputs, kernel) + bytes.bytes() + 2 * GUARD)) {
      Layout layout = new Layout(memory);
      List<DeviceTensor> in = upload(layout, inputs);
      List<DeviceTensor> out = outputs.stream().map(layout::next).toList();
      AtomicBoolean changed = new AtomicBoolean(true);
      Step step = kernel.bind(in, out, workspace(layout, kernel), layout.next(bytes), changed::get);
      step.run();
      requireSame(results, download(out), "with memory for what it keeps,");
      device.upload(others.get(1), in.get(1)).await();
      changed.set(false);
      step.run();
      requireSame(results, download(out), "from what it kept,");
      changed.set(true);
      step.run();
      requireSame(ofZeros, download(out), "when what it kept is no longer good,");
      requireGuards();
    }
  }

  private List<HostTensor> inPlace(
      Kernel kernel, List<HostTensor> inputs, List<TensorType> outputs, int input, int output) {
    guards.clear();
    try (Buffer memory = device.allocate(room(inputs, outputs, kernel))) {
      Layout layout = new Layout(memory);
      List<DeviceTensor> in = upload(layout, inputs);
      List<DeviceTensor> out = new ArrayList<>();
      for (int o = 0; o < outputs.size(); o++) {
        DeviceTensor shared = in.get(input);
        out.add(
            o == output
                ? new DeviceTensor(shared.buffer(), shared.offset(), outputs.get(o))
                : layout.next(outputs.get(o)));
      }
      kernel.bind(in, out, workspace(layout, kernel)).run();
      requireGuards();
      return download(out);
    }
  }

  /** Hands out tensors one behind the other, with guards between. */
  private final class Layout {
    private final Buffer memory;
    private long end;

    Layout(Buffer memory) {
      this.memory = memory;
      guard();
    }

    DeviceTensor next(TensorType type) {
      DeviceTensor tensor = new DeviceTensor(memory, end, type);
      end += type.bytes();
      guard(); // begins at the very next byte, and fills up to an aligned one
      return tensor;
    }

    private void guard() {
      long next = (end + GUARD + GUARD - 1) / GUARD * GUARD;
      DeviceTensor zone = new DeviceTensor(memory, end, TensorType.of(DType.U8, (int) (next - end)));
      HostTensor pattern = HostTensor.allocate(arena, zone.type());
      pattern.segment().fill(UNTOUCHED);
      device.upload(pattern, zone).await();
      guards.add(zone);
      end = next;
    }
  }

  private static long room(List<HostTensor> inputs, List<TensorType> outputs, Kernel kernel) {
    long bytes = kernel.workspaceBytes();
    for (HostTensor input : inputs) {
      bytes += input.type().bytes();
    }
    for (TensorType output : outputs) {
      bytes += output.bytes();
    }
    return bytes + (inputs.size() + outputs.size() + 2) * 2 * GUARD;
  }

  private List<DeviceTensor> upload(Layout layout, List<HostTensor> inputs) {
    List<DeviceTensor> tensors = new ArrayList<>();
    for (HostTensor input : inputs) {
      DeviceTensor tensor = layout.next(input.type());
      device.upload(input, tensor).await();
      tensors.add(tensor);
    }
    return tensors;
  }

  private static DeviceTensor workspace(Layout layout, Kernel kernel) {
    long bytes = kernel.workspaceBytes();
    return bytes == 0 ? null : layout.next(TensorType.of(DType.U8, Math.toIntExact(bytes)));
  }

  private List<HostTensor> download(List<DeviceTensor> tensors) {
    return tensors.stream().map(this::download).toList();
  }

  private HostTensor download(DeviceTensor tensor) {
    HostTensor host = HostTensor.allocate(arena, tensor.type());
    device.download(tensor, host);
    return host;
  }

  private void requireGuards() {
    for (DeviceTensor guard : guards) {
      MemorySegment zone = download(guard).segment();
      for (long i = 0; i < zone.byteSize(); i++) {
        if (zone.get(ValueLayout.JAVA_BYTE, i) != UNTOUCHED) {
          throw new AssertionError(
              op + " wrote outside its outputs: byte " + i + " behind the tensor that ends at byte " + guard.offset());
        }
      }
    }
  }

  private void requireSame(List<HostTensor> want, List<HostTensor> got, String where) {
    for (int i = 0; i < want.size(); i++) {
      long element = firstOther(want.get(i), got.get(i));
      if (element >= 0) {
        throw new AssertionError(
            op
                + " gives other bits "
                + where
                + " tensor "
                + i
                + " "
                + want.get(i).type()
                + " element "
                + element
                + ": "
                + want.get(i).get(element)
                + " then "
                + got.get(i).get(element));
      }
    }
  }

  /**
   * The first element with other bits, or −1. One NaN is as good as another: which operand's bits and sign a sum of two
   * NaN takes is the compiler's choice.
   */
  private static long firstOther(HostTensor want, HostTensor got) {
    int bytes = want.type().dtype().bytes();
    MemorySegment a = want.segment();
    MemorySegment b = got.segment();
    long start = 0;
    while (true) {
      long at = MemorySegment.mismatch(a, start, a.byteSize(), b, start, b.byteSize());
      if (at < 0) {
        return -1;
      }
      long element = (start + at) / bytes;
      if (!Double.isNaN(want.get(element)) || !Double.isNaN(got.get(element))) {
        return element;
      }
      start = (element + 1) * bytes;
    }
  }
}
