/** Recurrent layers: the same weights at each step of a sequence, unrolled in the graph. */
package dev.lamina.nn.recurrent;
