// Screen: shows a program's own narration and the HTTP/2 frames that it causes, in the order in which they happened.
//
//   int main() {
//     screen::Begin();                         // first of all
//     screen::Say("The client cancels.");
//     call.Cancel();
//     screen::WaitForFrame({"RST_STREAM 1"});  // shown: "    c1 > RST_STREAM 1 CANCEL"
//
// Begin turns on WEIR_TRACE=frames and divides the process in two: the child goes on as the program, the parent prints
// what the child writes. So the lines have one order, and those before a crash are not lost.
//
// Frames are shortened to what a newcomer needs: only the client's end ("c1": its first connection; > sent, <
// received), no SETTINGS and WINDOW_UPDATE, no header fields that are the same in every call, no payloads. All of it,
// of both ends: WEIR_TRACE=frames and any other program.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace screen {

// Before there are threads.
void Begin();

// Prints a line. Any thread.
void Say(std::string_view line);

// Waits until a frame has been shown that contains one of `texts`. Frames before that one count no more. One thread.
// Ends the program with an error if none comes within ten seconds.
void WaitForFrame(std::initializer_list<std::string_view> texts);

// What is shown of one line of the program: the line itself, a frame in short, or nothing (false). For tests.
bool Shorten(std::string_view line, std::string* shown);

}  // namespace screen
