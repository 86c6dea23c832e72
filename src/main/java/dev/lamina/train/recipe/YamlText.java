package dev.lamina.train.recipe;

import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Reads YAML into nodes that remember their place. */
public final class YamlText {
  /** Words and numbers, which mean themselves. */
  private static final Pattern PLAIN = Pattern.compile("(?!null$)[A-Za-z0-9][A-Za-z0-9._/-]*");

  private final JsonParser parser;
  private final IntFunction<String> place;

  private YamlText(JsonParser parser, IntFunction<String> place) {
    this.parser = parser;
    this.place = place;
  }

  /**
   * Parses one document.
   *
   * @param place names the place of a line, counted from 1
   * @throws BadInputException if the text is not YAML, repeats a key, or holds a second document
   */
  public static YamlNode parse(String text, IntFunction<String> place) {
    // The parser costs a quarter of a second to load, and most commands have nothing but words and numbers for it.
    if (text.isEmpty()) {
      return new YamlNode.Nothing(place.apply(1));
    } else if (PLAIN.matcher(text).matches()) {
      return new YamlNode.Scalar(text, place.apply(1));
    }
    try (JsonParser parser = new YAMLMapper().createParser(text)) {
      YamlText reader = new YamlText(parser, place);
      if (parser.nextToken() == null) {
        return new YamlNode.Nothing(place.apply(1));
      }
      YamlNode node = reader.node();
      if (parser.nextToken() != null) {
        throw YamlNode.error(reader.at(), "", "a second document begins here; a recipe is one");
      }
      return node;
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
      throw new BadInputException(
          place.apply(line) + ": this is not YAML: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
    }
  }

  /** The text of {@code file}, parsed; places are {@code file:line}. */
  public static YamlNode read(Path file) {
    try {
      return parse(Files.readString(file), line -> file + ":" + line);
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": is no text in UTF-8, so it is no recipe", e);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  private String at() {
    return place.apply(parser.currentTokenLocation().getLineNr());
  }

  private YamlNode node() {
    JsonToken token = parser.currentToken();
    String at = at();
    return switch (token) {
      case START_OBJECT -> mapping(at);
      case START_ARRAY -> sequence(at);
      case VALUE_NULL -> new YamlNode.Nothing(at);
      default -> {
        String text = parser.getString();
        // The parser knows null by its name only.
        yield text.isEmpty() || text.equals("~") ? new YamlNode.Nothing(at) : new YamlNode.Scalar(text, at);
      }
    };
  }

  private YamlNode mapping(String at) {
    SequencedMap<String, YamlNode.Entry> entries = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      String keyAt = at();
      parser.nextToken();
      if (entries.put(key, new YamlNode.Entry(keyAt, node())) != null) {
        throw YamlNode.error(keyAt, key, "this key was given before");
      }
    }
    return new YamlNode.Mapping(entries, at);
  }

  private YamlNode sequence(String at) {
    List<YamlNode> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(node());
    }
    return new YamlNode.Sequence(items, at);
  }
}
