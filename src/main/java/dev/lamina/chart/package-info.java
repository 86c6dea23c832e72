/** Charts on their way to a file. */
package dev.lamina.chart;
