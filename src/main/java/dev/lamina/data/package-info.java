/** Examples: where they come from (MNIST, IDX, CIFAR, pictures), how they are split, and batches prepared ahead. */
package dev.lamina.data;
