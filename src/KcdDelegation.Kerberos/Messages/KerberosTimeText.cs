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

    private static void Format(long unixSeconds)
    {
        Span<byte> text = stackalloc byte[Length];
        DateTimeOffset.FromUnixTimeSeconds(unixSeconds).TryFormat(text, out _, "yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture);
        t_text = (BitConverter.ToUInt64(text), BitConverter.ToUInt64(text[(Length - sizeof(ulong))..]));
        t_secondAfter = unixSeconds + 1;
    }
}
