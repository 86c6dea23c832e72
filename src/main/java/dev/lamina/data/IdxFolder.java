package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A folder with the four IDX files of a data set in MNIST's manner: images of any size, grey [n, h, w] or with channels
 * last [n, h, w, c], or vectors [n, features], and a label each. A file {@code classes.txt} may name the classes, one a
 * line; otherwise they are numbers up to the largest training label.
 */
public final class IdxFolder implements DataSource {
  static final String LOOKED_FOR =
      "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and"
          + " t10k-labels-idx1-ubyte (also .gz)";
  private static final String CLASS_NAMES = "classes.txt";
  private static final Pattern FILE_NAME =
      Pattern.compile("(?:.*-)?(train|t10k|test)-(images|labels)[.-]idx[1-4]-[a-z]+[0-9]*(\\.gz)?");

  private final Path folder;
  private final Map<Part, Path> files;
  private final List<String> classNames;

  private enum Part {
    TRAIN_IMAGES("training images (train-images-idx3-ubyte)"),
    TRAIN_LABELS("training labels (train-labels-idx1-ubyte)"),
    TEST_IMAGES("test images (t10k-images-idx3-ubyte)"),
    TEST_LABELS("test labels (t10k-labels-idx1-ubyte)");

    private final String description;

    Part(String description) {
      this.description = description;
    }

    private static Part of(Matcher name) {
      boolean images = name.group(2).equals("images");
      if (name.group(1).equals("train")) {
        return images ? TRAIN_IMAGES : TRAIN_LABELS;
      }
      return images ? TEST_IMAGES : TEST_LABELS;
    }
  }

  private IdxFolder(Path folder, Map<Part, Path> files) {
    this.folder = folder;
    this.files = files;
    requireAlike(
        requireExamples(Part.TRAIN_IMAGES, Part.TRAIN_LABELS), requireExamples(Part.TEST_IMAGES, Part.TEST_LABELS));
    this.classNames = findClasses();
  }

  /**
   * The data set in {@code folder}; empty if no file there has a name of one.
   *
   * @throws BadInputException if files are missing, do not fit together, or labels are out of range
   */
  static Optional<DataSource> find(Path folder) {
    Map<Part, Path> files = new EnumMap<>(Part.class);
    for (Path file : list(folder)) {
      Matcher name = FILE_NAME.matcher(file.getFileName().toString());
      if (name.matches()) {
        files.merge(Part.of(name), file, IdxFolder::plainOne);
      }
    }
    if (files.isEmpty()) {
      return Optional.empty();
    }
    for (Part part : Part.values()) {
      if (!files.containsKey(part)) {
        throw new BadInputException(
            folder
                + " has "
                + files.values().iterator().next().getFileName()
                + ", but no "
                + part.description
                + "; put the missing file there");
      }
    }
    return Optional.of(new IdxFolder(folder, files));
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw BadInputException.access("read the folder", folder, e);
    }
  }

  /** The same file unpacked and packed is fine, two different ones are a riddle. */
  private static Path plainOne(Path first, Path second) {
    if (second.toString().equals(first + ".gz")) {
      return first;
    }
    throw new BadInputException(
        first.getParent()
            + " has two candidates for the same data, "
            + first.getFileName()
            + " and "
            + second.getFileName()
            + "; keep one data set to a folder");
  }

  /** The header of the images, after a look at that of the labels. */
  private IdxHeader requireExamples(Part imagePart, Part labelPart) {
    Path imageFile = files.get(imagePart);
    IdxHeader images = Idx.header(imageFile);
    int rank = images.shape().rank();
    DType dtype = images.type().dtype();
    if (rank < 2 || rank > 4 || (dtype != DType.U8 && dtype != DType.F32)) {
      throw new BadInputException(
          imageFile
              + ": holds "
              + images.element()
              + images.shape()
              + ", no images; expected bytes or floats in [n,height,width], [n,height,width,channels] or [n,features]");
    }
    if (images.shape().size() == 0) {
      throw new BadInputException(imageFile + ": holds no images, its header says " + images.shape());
    }
    if (rank == 4 && images.shape().last() > 4) {
      throw new BadInputException(
          imageFile
              + ": images of "
              + images.shape().last()
              + " channels, from "
              + images.shape()
              + "; channels must come last, [n,height,width,channels], and be at most 4");
    }
    Path labelFile = files.get(labelPart);
    IdxHeader labels = Idx.header(labelFile);
    if (labels.shape().rank() != 1
        || labels.element() == IdxHeader.Element.F32
        || labels.element() == IdxHeader.Element.F64) {
      throw new BadInputException(
          labelFile + ": holds " + labels.element() + labels.shape() + ", no labels; expected whole numbers in [n]");
    }
    if (labels.shape().dim(0) != images.shape().dim(0)) {
      throw new BadInputException(
          labelFile
              + ": has "
              + labels.shape().dim(0)
              + " labels for the "
              + images.shape().dim(0)
              + " images of "
              + imageFile.getFileName()
              + "; do the files belong together?");
    }
    return images;
  }

  private void requireAlike(IdxHeader train, IdxHeader test) {
    if (!train.shape().with(0, 1).equals(test.shape().with(0, 1)) || train.element() != test.element()) {
      throw new BadInputException(
          files.get(Part.TEST_IMAGES)
              + ": the test images are "
              + test.element()
              + test.shape()
              + ", but the training images "
              + train.element()
              + train.shape()
              + "; both must have the same size and type");
    }
  }

  /** The class names, after a check of all labels, which are few bytes: trouble shows before hours of training. */
  private List<String> findClasses() {
    int[] train = readLabels(Part.TRAIN_LABELS);
    Path names = folder.resolve(CLASS_NAMES);
    List<String> classes = Files.exists(names) ? Labels.readNames(names) : Labels.numbered(countClasses(train));
    Labels.requireBelow(classes.size(), train, files.get(Part.TRAIN_LABELS).toString());
    Labels.requireBelow(classes.size(), readLabels(Part.TEST_LABELS), files.get(Part.TEST_LABELS).toString());
    return classes;
  }

  private int[] readLabels(Part part) {
    try (Arena arena = Arena.ofConfined()) {
      return Labels.values(Idx.read(files.get(part), arena));
    }
  }

  /** One more than the largest label, if the labels look like class indices: most of the numbers below it occur. */
  private int countClasses(int[] labels) {
    int largestAt = 0;
    for (int i = 0; i < labels.length; i++) {
      largestAt = labels[i] > labels[largestAt] ? i : largestAt;
    }
    int largest = labels[largestAt];
    long distinct = Arrays.stream(labels).distinct().count();
    if (largest >= 2 * distinct) {
      throw new BadInputException(
          files.get(Part.TRAIN_LABELS)
              + ": label "
              + largest
              + " at index "
              + largestAt
              + " is out of range: only "
              + distinct
              + " different labels occur, and classes are counted from 0");
    }
    return largest + 1;
  }

  @Override
  public String name() {
    return folder.toString();
  }

  @Override
  public Dataset train(Arena arena) {
    return read(Part.TRAIN_IMAGES, Part.TRAIN_LABELS, folder.toString(), arena);
  }

  @Override
  public Dataset test(Arena arena) {
    return read(Part.TEST_IMAGES, Part.TEST_LABELS, folder + " test", arena);
  }

  private Dataset read(Part imagePart, Part labelPart, String name, Arena arena) {
    HostTensor images = Idx.read(files.get(imagePart), arena);
    HostTensor labels = Labels.toI32(Idx.read(files.get(labelPart), arena), arena);
    return Dataset.labelled(name, images.shape().rank() == 3 ? Mnist.withChannel(images) : images, labels, classNames);
  }
}
