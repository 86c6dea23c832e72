package dev.lamina.device.reference;

import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;

/**
 * {@code c[i][j] = Σ a[i][k]·b[k][j]}, the transposed operands being the same memory with other strides.
 *
 * @param aRow elements between a's rows, as the product sees them
 * @param aColumn elements between a's columns
 * @param bRow elements between b's rows
 * @param bColumn elements between b's columns
 */
record MatrixProduct(int rows, int columns, int inner, int aRow, int aColumn, int bRow, int bColumn)
    implements Computation {

  static MatrixProduct of(Op.MatMul op, Shape a, Shape product) {
    int rows = product.dim(0);
    int columns = product.dim(1);
    int inner = op.transposeA() ? a.dim(0) : a.dim(1);
    return new MatrixProduct(
        rows,
        columns,
        inner,
        op.transposeA() ? 1 : inner,
        op.transposeA() ? rows : 1,
        op.transposeB() ? 1 : columns,
        op.transposeB() ? inner : 1);
  }

  @Override
  public void run(double[][] in, double[][] out) {
    double[] a = in[0];
    double[] b = in[1];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        double sum = 0;
        for (int k = 0; k < inner; k++) {
          sum += a[i * aRow + k * aColumn] * b[k * bRow + j * bColumn];
        }
        out[0][i * columns + j] = sum;
      }
    }
  }
}
