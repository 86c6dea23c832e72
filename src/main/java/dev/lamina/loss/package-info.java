/** What training makes small. */
package dev.lamina.loss;
