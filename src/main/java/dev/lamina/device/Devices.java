package dev.lamina.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The devices that this machine may have. Kinds of devices are found as services ({@link DeviceProvider} in {@code
 * META-INF/services}), so another one is an addition.
 */
public final class Devices {
  /** What {@link #open} takes for "the fastest that is there". */
  public static final String AUTO = "auto";

  private final List<DeviceProvider> providers;

  /** All kinds on the class path. */
  public Devices() {
    this(ServiceLoader.load(DeviceProvider.class).stream().map(ServiceLoader.Provider::get).toList());
  }

  /** The given kinds. */
  public Devices(List<DeviceProvider> providers) {
    this.providers =
        providers.stream().sorted(Comparator.comparingInt(Devices::rank).thenComparing(DeviceProvider::name)).toList();
  }

  /** GPUs first, the device whose purpose is to be right instead of fast last. */
  private static int rank(DeviceProvider provider) {
    return switch (provider.name()) {
      case "cpu" -> 1;
      case "reference" -> 2;
      default -> 0;
    };
  }

  /** A device that was chosen, and the line that says why. */
  public record Choice(DeviceProvider provider, String reason) {}

  /** One line about a kind of device. */
  public record Entry(String name, boolean available, String description) {}

  /** Every kind: what would be opened, or why it cannot be. */
  public List<Entry> list() {
    return providers.stream()
        .map(provider ->
            provider
                .unavailable()
                .map(reason -> new Entry(provider.name(), false, reason))
                .orElseGet(() -> new Entry(provider.name(), true, provider.description())))
        .toList();
  }

  /** The names that {@link #choose} takes. */
  public List<String> names() {
    List<String> names = new ArrayList<>(List.of(AUTO));
    providers.forEach(provider -> names.add(provider.name()));
    return names;
  }

  /**
   * The device of the given name, or the fastest there is for {@link #AUTO}.
   *
   * @throws IllegalArgumentException if there is none of that name, or it is not available here, with the reason
   */
  public Choice choose(String name) {
    if (name.equals(AUTO)) {
      return automatic();
    }
    for (DeviceProvider provider : providers) {
      if (provider.name().equals(name)) {
        provider
            .unavailable()
            .ifPresent(reason -> {
              throw new IllegalArgumentException("device " + name + " is not available: " + reason);
            });
        return new Choice(provider, "device " + name + ": " + provider.description());
      }
    }
    throw new IllegalArgumentException("there is no device '" + name + "'; there are " + String.join(", ", names()));
  }

  private Choice automatic() {
    List<String> refusals = new ArrayList<>();
    for (DeviceProvider provider : providers) {
      var reason = provider.unavailable();
      if (reason.isEmpty()) {
        String why = refusals.isEmpty() ? "the fastest there is" : refusals.stream().collect(Collectors.joining("; "));
        return new Choice(provider, "device " + provider.name() + ": " + provider.description() + " (" + why + ")");
      }
      refusals.add("no " + provider.name() + ": " + reason.get());
    }
    throw new IllegalArgumentException("no device is available: " + String.join("; ", refusals));
  }

  /**
   * Opens what {@link #choose} chooses.
   *
   * @throws IllegalArgumentException as {@link #choose}
   */
  public Device open(String name, DeviceOptions options) {
    return choose(name).provider().open(options);
  }
}
