using System.Globalization;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>RFC 4120 §5.2.3: the contents of a KerberosTime, <c>yyyyMMddHHmmssZ</c>. Each thread keeps the second that it wrote last.</summary>
internal static class KerberosTimeText
{
    public const int Length = 15;

    // Text of the second before the epoch at first: none that anybody writes.
    [ThreadStatic]
    private static long t_secondAfter;

    // Both halves of the text; they overlap in one character.
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
