package dev.lamina.io;

import dev.lamina.tensor.HostTensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What a safetensors file holds.
 *
 * @param tensors by name, in the order of the file's header; their memory belongs to the arena they were read into
 * @param metadata free text by key
 */
public record SafetensorsFile(SequencedMap<String, HostTensor> tensors, Map<String, String> metadata) {

  /** Keeps unmodifiable copies of both maps, in their order. */
  public SafetensorsFile {
    tensors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }
}
