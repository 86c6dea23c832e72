package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {
  private final Arena arena = Arena.ofConfined();
  @TempDir Path folder;

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void aGreyPictureOfTheRightSizeKeepsEveryByte() throws IOException {
    BufferedImage image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 784; i++) {
      image.getRaster().setSample(i % 28, i / 28, 0, i * 37 & 0xff);
    }
    HostTensor pixels = load(image, Shape.of(28, 28, 1)).pixels();
    for (int i = 0; i < 784; i++) {
      assertEquals(i * 37 & 0xff, pixels.get(i), "pixel " + i);
    }
  }

  @Test
  void aTruncatedJpegIsRefusedWhoseMissingPartWouldBecomeGrey() throws IOException {
    BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 64 * 64; i++) {
      image.getRaster().setSample(i % 64, i / 64, 0, i * i * 37 & 0xff);
    }
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "jpg", bytes);
    byte[] whole = bytes.toByteArray();
    Path file = folder.resolve("picture.jpg");
    Files.write(file, Arrays.copyOf(whole, whole.length * 2 / 3));
    String complaint =
        assertThrows(BadInputException.class, () -> Images.load(file, Shape.of(28, 28, 1), arena)).getMessage();
    assertTrue(complaint.startsWith(file + ": the picture cannot be decoded"), complaint);

    // Without the marker at its end every pixel is there all the same.
    Files.write(file, Arrays.copyOf(whole, whole.length - 2));
    assertEquals(28 * 28, Images.load(file, Shape.of(28, 28, 1), arena).pixels().size());
  }

  @Test
  void aColourPictureOfTheRightSizeKeepsEveryByte() throws IOException {
    BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 6; i++) {
      image.setRGB(i % 3, i / 3, ((i * 40) << 16) | ((255 - i) << 8) | i);
    }
    HostTensor pixels = load(image, Shape.of(2, 3, 3)).pixels();
    for (int i = 0; i < 6; i++) {
      assertEquals(i * 40, pixels.get(3L * i));
      assertEquals(255 - i, pixels.get(3L * i + 1));
      assertEquals(i, pixels.get(3L * i + 2));
    }
  }

  @Test
  void colourBecomesGreyByLumaAndGreyBecomesColourByRepetition() throws IOException {
    BufferedImage colour = new BufferedImage(3, 1, BufferedImage.TYPE_INT_RGB);
    colour.setRGB(0, 0, 0xff0000);
    colour.setRGB(1, 0, 0x00ff00);
    colour.setRGB(2, 0, 0x0000ff);
    assertArrayEquals(new float[] {76, 150, 29}, load(colour, Shape.of(1, 3, 1)).pixels().toFloats());
    BufferedImage grey = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
    grey.getRaster().setSample(1, 0, 0, 77);
    assertArrayEquals(new float[] {0, 0, 0, 77, 77, 77}, load(grey, Shape.of(1, 2, 3)).pixels().toFloats());
  }

  @Test
  void shrinkingAveragesWholeAreas() throws IOException {
    BufferedImage stripes = new BufferedImage(100, 60, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < 60; y++) {
      for (int x = 0; x < 100; x++) {
        stripes.getRaster().setSample(x, y, 0, x % 2 == 0 ? 0 : 200); // finer than the result can show
      }
    }
    HostTensor pixels = load(stripes, Shape.of(6, 10, 1)).pixels();
    for (int i = 0; i < 60; i++) {
      assertEquals(100, pixels.get(i));
    }
  }

  @Test
  void aPixelOnTheEdgeOfTwoAreasIsSharedBetweenThem() throws IOException {
    BufferedImage three = new BufferedImage(3, 1, BufferedImage.TYPE_BYTE_GRAY);
    three.getRaster().setSample(1, 0, 0, 90);
    three.getRaster().setSample(2, 0, 0, 30);
    assertArrayEquals(new float[] {30, 50}, load(three, Shape.of(1, 2, 1)).pixels().toFloats());
  }

  @Test
  void growingInterpolatesBetweenPixelCentres() throws IOException {
    BufferedImage two = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
    two.getRaster().setSample(1, 0, 0, 200);
    assertArrayEquals(new float[] {0, 50, 150, 200, 0, 50, 150, 200}, load(two, Shape.of(2, 4, 1)).pixels().toFloats());
  }

  @Test
  void aConstantPictureStaysConstantAtEverySize() throws IOException {
    BufferedImage image = new BufferedImage(37, 53, BufferedImage.TYPE_BYTE_GRAY);
    byte[] bytes = new byte[37 * 53];
    Arrays.fill(bytes, (byte) 201);
    image.getRaster().setDataElements(0, 0, 37, 53, bytes);
    for (Shape shape : new Shape[] {Shape.of(28, 28, 1), Shape.of(64, 5, 3), Shape.of(1, 1, 1), Shape.of(53, 100, 1)}) {
      for (float value : load(image, shape).pixels().toFloats()) {
        assertEquals(201, value);
      }
    }
  }

  @Test
  void sixteenBitsAPalettesColoursAndTransparencyAreUnderstood() throws IOException {
    BufferedImage deep = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
    deep.getRaster().setSample(0, 0, 0, 65535);
    deep.getRaster().setSample(1, 0, 0, 257 * 100);
    assertArrayEquals(new float[] {255, 100}, load(deep, Shape.of(1, 2, 1)).pixels().toFloats());
    BufferedImage binary = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY);
    binary.setRGB(1, 0, 0xffffff);
    assertArrayEquals(new float[] {0, 255}, load(binary, Shape.of(1, 2, 1)).pixels().toFloats());
    BufferedImage transparent = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    transparent.setRGB(0, 0, 0x00000000);
    transparent.setRGB(1, 0, 0xff102030);
    assertArrayEquals(
        new float[] {255, 255, 255, 16, 32, 48}, load(transparent, Shape.of(1, 2, 3)).pixels().toFloats());
  }

  @Test
  void aJpegIsReadToo() throws IOException {
    BufferedImage image = new BufferedImage(40, 40, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 1600; i++) {
      image.setRGB(i % 40, i / 40, 0x808080);
    }
    Path file = folder.resolve("photo.jpg");
    ImageIO.write(image, "jpg", file.toFile());
    for (float value : Images.load(file, Shape.of(8, 8, 3), arena).pixels().toFloats()) {
      assertEquals(128, value, 2, "JPEG is lossy");
    }
  }

  @Test
  void inkOnPaperIsRecognisedByItsBrightBorderAndCanBeInverted() throws IOException {
    BufferedImage paper = new BufferedImage(56, 56, BufferedImage.TYPE_BYTE_GRAY);
    byte[] bytes = new byte[56 * 56];
    Arrays.fill(bytes, (byte) 240);
    paper.getRaster().setDataElements(0, 0, 56, 56, bytes);
    for (int y = 10; y < 46; y++) {
      for (int x = 20; x < 36; x++) {
        paper.getRaster().setSample(x, y, 0, 20);
      }
    }
    Picture picture = load(paper, Shape.of(28, 28, 1));
    assertTrue(picture.hasBrightBackground());
    assertEquals(240, picture.borderBrightness());
    Picture inverted = picture.inverted(arena);
    assertFalse(inverted.hasBrightBackground());
    assertEquals(15, inverted.pixels().get(0));
    assertEquals(235, inverted.pixels().get(14 * 28 + 14));
  }

  @Test
  void whatIsNoPictureIsOneLine() throws IOException {
    Path missing = folder.resolve("missing.png");
    assertEquals("cannot read " + missing + ": there is no such file or folder", line(missing));
    Path text = Files.writeString(folder.resolve("text.png"), "not a picture");
    assertEquals(text + ": is no picture in a known format (PNG, JPEG, GIF, BMP)", line(text));
    Path empty = Files.createFile(folder.resolve("empty.png"));
    assertEquals(empty + ": is no picture in a known format (PNG, JPEG, GIF, BMP)", line(empty));
    assertEquals("cannot read " + folder + ": it is a folder; name a picture", line(folder));
  }

  @Test
  void aDamagedPictureIsOneLine() throws IOException {
    Path file = folder.resolve("half.png");
    BufferedImage noise = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 4096; i++) {
      noise.setRGB(i % 64, i / 64, i * 0x9E3779B9);
    }
    ImageIO.write(noise, "png", file.toFile());
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {9, 20, 40, whole.length / 2}) {
      Files.write(file, Arrays.copyOf(whole, length));
      String line = line(file);
      assertTrue(line.startsWith(file + ": the picture cannot be decoded (") && !line.contains("\n"), line);
    }
  }

  @Test
  void aSmallFileThatClaimsAHugeSizeIsRefusedBeforeItIsDecoded() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    ByteBuffer header = ByteBuffer.allocate(25).putInt(13).put("IHDR".getBytes(StandardCharsets.US_ASCII));
    header.putInt(60_000).putInt(60_000).put(new byte[] {8, 2, 0, 0, 0});
    CRC32 sum = new CRC32();
    sum.update(header.array(), 4, 17);
    bytes.writeBytes(header.putInt((int) sum.getValue()).array());
    bytes.writeBytes(new byte[] {0, 0, 0, 0, 'I', 'D', 'A', 'T', 0x35, (byte) 0xaf, 0x06, 0x1e});
    Path file = Files.write(folder.resolve("bomb.png"), bytes.toByteArray());
    assertEquals(file + ": has 3600000000 pixels, at most 100000000 are read; make it smaller", line(file));
  }

  @Test
  void onlyImagesOfOneOrThreeChannelsCanBeAskedFor() {
    for (Shape shape : new Shape[] {Shape.of(784), Shape.of(28, 28, 2), Shape.of(0, 28, 1)}) {
      assertThrows(IllegalArgumentException.class, () -> Images.load(folder.resolve("x.png"), shape, arena));
    }
  }

  private Picture load(BufferedImage image, Shape shape) throws IOException {
    Path file = folder.resolve("picture.png");
    assertTrue(ImageIO.write(image, "png", file.toFile()));
    return Images.load(file, shape, arena);
  }

  private String line(Path file) {
    return assertThrows(BadInputException.class, () -> Images.load(file, Shape.of(28, 28, 1), arena)).getMessage();
  }
}
