/**
 * Asks a running ranking service: requests packed from raw values or a file's rows, answers
 * unpacked.
 */
@NullMarked
package dev.wukong.client;

import org.jspecify.annotations.NullMarked;
