/** Layers: records that add operations to a graph, and what they are given to do so. */
package dev.lamina.nn;
