/** How weights follow their gradients: optimizers as expressions, gradient clipping. */
package dev.lamina.optim;
