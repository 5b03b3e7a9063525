/** Predict in JSON: for people, scripts and tests. */
@NullMarked
package dev.wukong.serving.rest;

import org.jspecify.annotations.NullMarked;
