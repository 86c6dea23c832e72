package dev.lamina.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The devices that this machine may have. Kinds of devices are found as services ({@link DeviceProvider} in {@code
 * META-INF/services}), so another one is an addition.
 */
public final class Devices {
  /** What {@link #open} takes for "the fastest that is there". */
  public static final String AUTO = "auto";

  /** The number of a device among those of its kind. */
  private static final Pattern NUMBERED = Pattern.compile(":(\\d{1,4})$");

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

  /**
   * A device that was chosen.
   *
   * @param provider its kind
   * @param options the wishes, with its number among those of its kind
   * @param reason the line that says why
   */
  public record Choice(DeviceProvider provider, DeviceOptions options, String reason) {
    /** What {@link #choose} takes for it. */
    public String name() {
      return Devices.name(provider, options.ordinal());
    }

    /** Opens it. */
    public Device open() {
      return provider.open(options);
    }
  }

  /**
   * One line about a device, and more for somebody who wants to know.
   *
   * @param name what {@link #choose} takes
   * @param available whether it can be opened
   * @param description what would be opened, or why it cannot be
   * @param details what it stands on, or what it lacks
   */
  public record Entry(String name, boolean available, String description, List<String> details) {
    public Entry {
      details = List.copyOf(details);
    }
  }

  /** Every device of every kind; a kind of which there is none has one entry that says why. */
  public List<Entry> list(DeviceOptions options) {
    List<Entry> entries = new ArrayList<>();
    for (DeviceProvider provider : providers) {
      int count = Math.max(1, provider.count(options));
      for (int ordinal = 0; ordinal < count; ordinal++) {
        DeviceOptions one = options.withOrdinal(ordinal);
        Optional<String> reason = provider.unavailable(one);
        entries.add(
            new Entry(
                name(provider, ordinal),
                reason.isEmpty(),
                reason.orElseGet(() -> provider.description(one)),
                ordinal == count - 1 ? provider.details(options) : List.of()));
      }
    }
    return entries;
  }

  /** Without a number for the first of its kind. */
  private static String name(DeviceProvider provider, int ordinal) {
    return ordinal == 0 ? provider.name() : provider.name() + ":" + ordinal;
  }

  /** Whether {@link #choose} takes the name, of which a number may be part: {@code cuda:1}. */
  public boolean knows(String name) {
    String kind = NUMBERED.matcher(name).replaceFirst("");
    return name.equals(AUTO) || providers.stream().anyMatch(provider -> provider.name().equals(kind));
  }

  /** The names that {@link #choose} takes; a number can follow those of kinds. */
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
  public Choice choose(String name, DeviceOptions options) {
    if (name.equals(AUTO)) {
      return automatic(options);
    }
    Matcher numbered = NUMBERED.matcher(name);
    String kind = numbered.replaceFirst("");
    int ordinal = numbered.reset().find() ? Integer.parseInt(numbered.group(1)) : 0;
    for (DeviceProvider provider : providers) {
      if (provider.name().equals(kind)) {
        DeviceOptions one = options.withOrdinal(ordinal);
        if (ordinal > 0 && provider.count(options) == 1) {
          throw new IllegalArgumentException(
              "there is one device " + kind + "; leave out the number of '" + name + "'");
        }
        provider
            .unavailable(one)
            .ifPresent(reason -> {
              throw new IllegalArgumentException("device " + name + " is not available: " + reason);
            });
        return new Choice(provider, one, "device " + name + ": " + provider.description(one));
      }
    }
    throw new IllegalArgumentException("there is no device '" + name + "'; there are " + String.join(", ", names()));
  }

  private Choice automatic(DeviceOptions options) {
    List<String> refusals = new ArrayList<>();
    for (DeviceProvider provider : providers) {
      var reason = provider.unavailable(options);
      if (reason.isEmpty()) {
        String why = refusals.isEmpty() ? "the fastest there is" : String.join("; ", refusals);
        String line = "device " + provider.name() + ": " + provider.description(options) + " (" + why + ")";
        return new Choice(provider, options, line);
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
    return choose(name, options).open();
  }
}
