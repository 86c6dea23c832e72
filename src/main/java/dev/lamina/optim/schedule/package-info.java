/** The learning rate of each step. */
package dev.lamina.optim.schedule;
