package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What kernels are compiled for, by a compiler that knows some architectures and not others. */
class NvrtcTargetTest {
  private static final List<Integer> WITH_GAPS = List.of(75, 80, 86, 89, 90, 100, 101, 120);

  @ParameterizedTest
  @CsvSource({
    "90, --gpu-architecture=sm_90, .cubin",
    "75, --gpu-architecture=sm_75, .cubin",
    // Newer than all, and newer than some.
    "130, --gpu-architecture=compute_120, .ptx",
    "103, --gpu-architecture=compute_101, .ptx",
    "87, --gpu-architecture=compute_86, .ptx"
  })
  void codeOfItsOwnOrTheTextOfTheNearestBelow(int capability, String option, String suffix) {
    Nvrtc.Target target = Nvrtc.Target.of(capability, WITH_GAPS);
    assertEquals(option, target.option());
    assertEquals(suffix, target.suffix());
  }

  @Test
  void aGpuThatIsTooOldIsRefused() {
    var refusal = assertThrows(CudaException.class, () -> Nvrtc.Target.of(70, WITH_GAPS));
    assertTrue(refusal.getMessage().contains("this GPU has 70"), refusal::getMessage);
  }
}
