using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Fuzzing;

/// <summary>A rule that an input broke.</summary>
/// <param name="Kind">Equal for inputs that broke the same rule in the same way.</param>
/// <param name="Detail">What was seen.</param>
internal sealed record Fault(string Kind, string Detail);

/// <summary>Runs a decoder over one input and checks the exception, the time, the allocation and the text.</summary>
internal static class DecoderCheck
{
    /// <summary>An exception with its stack and message, and the buffers that a first read takes.</summary>
    public const int BaseAllocation = 64 << 10;

    /// <summary>Two names of 1,024 characters are the longest that a message quotes.</summary>
    private const int MaxMessageLength = 3_000;

    public const string TooSlow = "too slow";

    private const int Attempts = 8;
    private const int AttemptsWithoutPause = 3;

    /// <summary>The time between later attempts, in which a busy machine can run other processes.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan s_baseTime = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_timePerByte = TimeSpan.FromMicroseconds(0.4);

    /// <summary>Returns the rule that the input breaks, or null.</summary>
    /// <param name="decoder">The decoder.</param>
    /// <param name="input">The input; it is not changed.</param>
    /// <param name="measures">Whether time and allocation are checked. An instrumented assembly has other bounds.</param>
    public static Fault? Run(Decoder decoder, byte[] input, bool measures = true)
    {
        var (timeLimit, allocationLimit) =
            (s_baseTime + (s_timePerByte * input.Length), BaseAllocation + ((long)decoder.AllocationPerByte * input.Length));
        string? text = null;
        Exception? thrown = null;
        var (time, allocated) = (TimeSpan.MaxValue, long.MaxValue);
        // The first run may compile methods or be interrupted: the least of several counts.
        for (var attempt = 0; attempt < (measures ? Attempts : 1) && (time > timeLimit || allocated > allocationLimit); attempt++)
        {
            if (attempt >= AttemptsWithoutPause && time > timeLimit)
                Thread.Sleep(s_pause);
            var copy = input.ToArray();
            (text, thrown) = (null, null);
            var (bytesBefore, start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            try
            {
                text = decoder.Decode(copy);
            }
            catch (Exception error)
            {
                thrown = error;
            }
            var (elapsed, bytes) = (Stopwatch.GetElapsedTime(start), GC.GetAllocatedBytesForCurrentThread() - bytesBefore);
            (time, allocated) = (elapsed < time ? elapsed : time, bytes < allocated ? bytes : allocated);
        }
        if (thrown is not null && !decoder.Documented.Any(type => type.IsInstanceOfType(thrown)))
            return new Fault(
                $"throws {thrown.GetType().Name}", $"{thrown.GetType().FullName}: {Escape(thrown.Message)} {FirstFrame(thrown)}");
        for (var error = thrown; error is not null; error = error.InnerException)
        {
            if (error.Message.Length > MaxMessageLength)
                return new Fault(
                    "message too long",
                    $"{error.GetType().Name} has a message of {error.Message.Length} characters: {Escape(error.Message[..100])}…");
            if (Unprintable(error.Message) is { } found)
                return new Fault("message unprintable", $"{error.GetType().Name} has {found} in its message: {Escape(error.Message)}");
        }
        if (text is not null && Unprintable(text) is { } inText)
            return new Fault("text unprintable", $"the text has {inText}: {Escape(text)}");
        if (measures && time > timeLimit)
            return new Fault(
                TooSlow, string.Create(
                CultureInfo.InvariantCulture,
                $"{time.TotalMilliseconds:0} ms for {input.Length} bytes, at most {timeLimit.TotalMilliseconds:0} ms are allowed"));
        if (measures && allocated > allocationLimit)
            return new Fault(
                "allocates too much", $"{allocated} bytes for {input.Length} bytes of input, at most {allocationLimit} are allowed");
        return null;
    }

    /// <summary>Returns the first rune that must not be printed, or null.</summary>
    private static string? Unprintable(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // A lone surrogate is enumerated as U+FFFD, which prints.
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator)
                return string.Create(CultureInfo.InvariantCulture, $"U+{rune.Value:X4}");
        }
        return null;
    }

    private static string Escape(string text) => string.Concat(text.Take(300).Select(character =>
        character is >= ' ' and <= '~' ? character.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}")));

    private static string FirstFrame(Exception error) =>
        error.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("KcdDelegation", StringComparison.Ordinal))?.Trim() ?? "";
}
