package dev.lamina.io;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON part of a safetensors file.
 *
 * @param entries where each tensor lies, by name
 * @param metadata free text by key
 */
record SafetensorsHeader(SequencedMap<String, Entry> entries, Map<String, String> metadata) {
  /** The one key of the header that is no tensor. */
  static final String METADATA = "__metadata__";

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /**
   * One tensor.
   *
   * @param begin offset of its first byte, from the end of the header
   * @param end offset after its last byte
   */
  record Entry(TensorType type, long begin, long end) {}

  /**
   * Lays tensors out one after the other, wide elements first: then each lies at a multiple of its element's size,
   * whatever the tensors' sizes are.
   */
  static SafetensorsHeader layOut(SequencedMap<String, TensorType> types, Map<String, String> metadata) {
    SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    types.forEach((name, type) -> entries.put(name, new Entry(type, 0, 0)));
    List<Map.Entry<String, Entry>> widestFirst = new ArrayList<>(entries.entrySet());
    widestFirst.sort(Comparator.comparingInt(entry -> -entry.getValue().type().dtype().bytes()));
    long offset = 0;
    for (Map.Entry<String, Entry> entry : widestFirst) {
      TensorType type = entry.getValue().type();
      entry.setValue(new Entry(type, offset, offset + type.bytes()));
      offset += type.bytes();
    }
    return new SafetensorsHeader(entries, metadata);
  }

  /** The entries in the order of their bytes; empty tensors come before what begins at the same place. */
  List<Map.Entry<String, Entry>> inFileOrder() {
    List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
    sorted.sort(
        Comparator.<Map.Entry<String, Entry>>comparingLong(entry -> entry.getValue().begin())
            .thenComparingLong(entry -> entry.getValue().end()));
    return sorted;
  }

  byte[] toJson() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectPropertyStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringProperty(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Map.Entry<String, Entry> named : entries.entrySet()) {
        Entry entry = named.getValue();
        int[] dims = entry.type().shape().dims();
        json.writeObjectPropertyStart(named.getKey());
        json.writeStringProperty("dtype", entry.type().dtype().name());
        json.writeName("shape");
        json.writeArray(dims, 0, dims.length);
        json.writeName("data_offsets");
        json.writeArray(new long[] {entry.begin(), entry.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  /**
   * Reads a header.
   *
   * @param file how messages call the file
   * @throws BadInputException if it is no valid header; the places of the tensors are checked by {@link
   *     #requireGapless}
   */
  static SafetensorsHeader parse(String file, byte[] bytes) {
    SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), bytes)) {
      expect(json, json.nextToken(), JsonToken.START_OBJECT, "the header");
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = json.currentName();
        expect(json, json.nextToken(), JsonToken.START_OBJECT, "'" + name + "'");
        if (name.equals(METADATA)) {
          readMetadata(json, metadata);
        } else {
          entries.put(name, readEntry(file, name, json));
        }
      }
      if (json.nextToken() != null) {
        throw new StreamReadException(json, "more text after the header's closing brace");
      }
    } catch (JacksonException e) {
      throw new BadInputException(
          file
              + ": the header is not valid safetensors JSON ("
              + e.getOriginalMessage()
              + ", at byte "
              + e.getLocation().getByteOffset()
              + "); write the file again",
          e);
    }
    return new SafetensorsHeader(entries, metadata);
  }

  private static void readMetadata(JsonParser json, Map<String, String> metadata) {
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      expect(json, json.nextToken(), JsonToken.VALUE_STRING, METADATA + " '" + key + "'");
      metadata.put(key, json.getString());
    }
  }

  private static Entry readEntry(String file, String name, JsonParser json) {
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      JsonToken value = json.nextToken();
      String what = "'" + key + "' of tensor '" + name + "'";
      switch (key) {
        case "dtype" -> {
          expect(json, value, JsonToken.VALUE_STRING, what);
          dtype = json.getString();
        }
        case "shape" -> shape = readLongs(json, what);
        case "data_offsets" -> offsets = readLongs(json, what);
        default -> throw new StreamReadException(json, "unknown key " + what);
      }
    }
    if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
      throw new StreamReadException(json, "tensor '" + name + "' needs dtype, shape and two data_offsets");
    }
    return entry(file + ": tensor '" + name + "'", dtype, shape, offsets);
  }

  private static Entry entry(String where, String dtype, long[] shape, long[] offsets) {
    DType known =
        Arrays.stream(DType.values())
            .filter(type -> type.name().equals(dtype))
            .findFirst()
            .orElseThrow(() ->
                new BadInputException(
                    where
                        + " has the type "
                        + dtype
                        + ", known are "
                        + Arrays.toString(DType.values())
                        + "; convert it first"));
    TensorType type;
    long bytes;
    try {
      type = new TensorType(Shape.of(Arrays.stream(shape).mapToInt(Math::toIntExact).toArray()), known);
      bytes = Math.multiplyExact(type.shape().size(), known.bytes());
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new BadInputException(
          where + " has the impossible shape " + Arrays.toString(shape) + "; write the file again", e);
    }
    if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] - offsets[0] != bytes) {
      throw new BadInputException(
          where
              + " is "
              + type
              + ", which is "
              + bytes
              + " bytes, but its data_offsets are "
              + Arrays.toString(offsets)
              + "; write the file again");
    }
    return new Entry(type, offsets[0], offsets[1]);
  }

  /** Array of whole numbers; {@code json} stands at its beginning and is left at its end. */
  private static long[] readLongs(JsonParser json, String what) {
    expect(json, json.currentToken(), JsonToken.START_ARRAY, what);
    List<Long> values = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json, json.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
      values.add(json.getLongValue());
    }
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private static void expect(JsonParser json, JsonToken got, JsonToken wanted, String what) {
    if (got != wanted) {
      throw new StreamReadException(json, what + " should be " + wanted + ", found " + got);
    }
  }

  /**
   * Checks that the tensors fill the {@code dataBytes} after the header exactly, without a hole, an overlap or a rest:
   * what is not accounted for would be a place to hide things, and is the sign of a broken writer.
   */
  void requireGapless(String file, long dataBytes) {
    long expected = 0;
    String before = null;
    for (Map.Entry<String, Entry> named : inFileOrder()) {
      Entry entry = named.getValue();
      if (entry.end() > dataBytes) {
        throw new BadInputException(
            file
                + ": tensor '"
                + named.getKey()
                + "' ends at byte "
                + entry.end()
                + " of the data, but only "
                + dataBytes
                + " bytes are there; the file is truncated, copy it again");
      }
      if (entry.begin() != expected) {
        String problem = entry.begin() < expected ? "overlaps" : "leaves a hole after";
        throw new BadInputException(
            file
                + ": tensor '"
                + named.getKey()
                + "' "
                + problem
                + " "
                + (before == null ? "the header" : "tensor '" + before + "'")
                + " (it begins at "
                + entry.begin()
                + ", expected "
                + expected
                + "); write the file again");
      }
      expected = entry.end();
      before = named.getKey();
    }
    if (expected != dataBytes) {
      throw new BadInputException(
          file
              + ": "
              + (dataBytes - expected)
              + " bytes after the last tensor belong to none; the file is corrupt, copy it again");
    }
  }
}
