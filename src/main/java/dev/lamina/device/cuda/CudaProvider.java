package dev.lamina.device.cuda;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cuda.library.Cuda;
import dev.lamina.device.cuda.library.CudaSurvey;
import java.util.List;
import java.util.Optional;

/**
 * Opens NVIDIA GPUs, through JCuda and the libraries of NVIDIA that this machine has. The device itself is defined by
 * another class loader than this class, which is why nothing of it is mentioned here.
 */
public final class CudaProvider implements DeviceProvider {

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Optional<String> unavailable(DeviceOptions options) {
    return switch (survey(options)) {
      case CudaSurvey.Unusable unusable -> Optional.of(unusable.reason());
      case CudaSurvey.Usable _ when !Cuda.hasDevice() -> Optional.of("the CUDA device is not part of this build");
      case CudaSurvey.Usable usable -> usable.problem(options.ordinal());
    };
  }

  @Override
  public String description(DeviceOptions options) {
    return usable(options).facts().gpus().get(options.ordinal()).description();
  }

  @Override
  public int count(DeviceOptions options) {
    return survey(options) instanceof CudaSurvey.Usable usable ? usable.facts().gpus().size() : 0;
  }

  @Override
  public List<String> details(DeviceOptions options) {
    return survey(options).details();
  }

  @Override
  public Device open(DeviceOptions options) {
    unavailable(options)
        .ifPresent(reason -> {
          throw new IllegalStateException("device cuda is not available: " + reason);
        });
    return Cuda.ofThisProcess().open(usable(options).libraries(), options.ordinal(), options);
  }

  private static CudaSurvey.Usable usable(DeviceOptions options) {
    return switch (survey(options)) {
      case CudaSurvey.Usable usable -> usable;
      case CudaSurvey.Unusable unusable -> throw new IllegalStateException(unusable.reason());
    };
  }

  private static CudaSurvey survey(DeviceOptions options) {
    return Cuda.ofThisProcess().survey(options.cudaLibraries());
  }
}
