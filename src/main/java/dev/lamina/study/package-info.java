/** Experiments that reproduce published claims about training, each with its criteria, tables and figures. */
package dev.lamina.study;
