/** What a training leaves on disk: its folder, and its figures by epoch. */
package dev.lamina.train.run;
