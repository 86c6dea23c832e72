package dev.lamina.data;

import dev.lamina.io.BadInputException;

/** How many examples a step sees. */
public sealed interface BatchSize {

  /**
   * A number of examples.
   *
   * @param examples at least 1
   */
  record Fixed(int examples) implements BatchSize {
    /**
     * Checks the number.
     *
     * @throws BadInputException if it is less than 1
     */
    public Fixed {
      if (examples < 1) {
        throw new BadInputException("the batch must hold at least 1 example, got " + examples);
      }
    }
  }

  /** All examples at once: gradient descent in the strict sense. */
  record Full() implements BatchSize {}

  /**
   * Reads {@code full} or a number.
   *
   * @throws BadInputException if it is neither
   */
  static BatchSize parse(String text) {
    if (text.equals("full")) {
      return new Full();
    }
    try {
      return new Fixed(Integer.parseInt(text));
    } catch (NumberFormatException e) {
      throw new BadInputException("the batch is a number of examples or 'full', got '" + text + "'", e);
    }
  }

  /**
   * The number of examples in a training batch of {@code data}.
   *
   * @throws BadInputException if {@code data} does not fill a single batch
   */
  default int of(Dataset data) {
    return switch (this) {
      case Full _ when data.size() > 0 -> data.size();
      case Fixed(int examples) when examples <= data.size() -> examples;
      case Full _ -> throw new BadInputException(data.name() + " has no examples to train on");
      case Fixed(int examples) ->
          throw new BadInputException(
              "batch "
                  + examples
                  + " is larger than "
                  + data.name()
                  + ", which has "
                  + data.size()
                  + " examples; use at most that, or 'full'");
    };
  }
}
