using System.Globalization;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The content of a KerberosTime, <c>yyyyMMddHHmmssZ</c> (RFC 4120 §5.2.3). Each thread caches the last second.</summary>
internal static class KerberosTimeText
{
    public const int Length = 15;

    // The cached second plus one. The default, 0, stands for the second before the epoch, which is never written.
    [ThreadStatic]
    private static long t_secondAfter;

    // The first and the last eight bytes of the text, which overlap in one byte.
    [ThreadStatic]
    private static (ulong First, ulong Last) t_text;

    public static void Write(Span<byte> destination, long unixSeconds)
    {
        if (t_secondAfter != unixSeconds + 1)
            Format(unixSeconds);
        BitConverter.TryWriteBytes(destination, t_text.First);
        BitConverter.TryWriteBytes(destination[(Length - sizeof(ulong))..], t_text.Last);
    }

    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length != Length || text[^1] != 'Z' || text[..^1].IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            return false;
        var (year, month, day) = ((ReadDigits(text[..2]) * 100) + ReadDigits(text[2..4]), ReadDigits(text[4..6]), ReadDigits(text[6..8]));
        var (hour, minute, second) = (ReadDigits(text[8..10]), ReadDigits(text[10..12]), ReadDigits(text[12..14]));
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59
            || second > 59)
            return false;
        time = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero);
        return true;
    }

    private static int ReadDigits(ReadOnlySpan<byte> text) => ((text[0] - '0') * 10) + (text[1] - '0');

    private static void Format(long unixSeconds)
    {
        Span<byte> text = stackalloc byte[Length];
        DateTimeOffset.FromUnixTimeSeconds(unixSeconds).TryFormat(text, out _, "yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture);
        t_text = (BitConverter.ToUInt64(text), BitConverter.ToUInt64(text[(Length - sizeof(ulong))..]));
        t_secondAfter = unixSeconds + 1;
    }
}
