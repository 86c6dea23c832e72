/** Functions of each value by itself, and the two activations that learn. */
package dev.lamina.nn.activation;
