using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Kerberos.Tests.Files;

internal static class KeytabSamples
{
    public static readonly DateTimeOffset Written = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Written by MIT's ktutil 1.20: HTTP/gw.contoso.com (version 300, AES-256) and CONNECTOR$ (version 4, RC4 and
    /// AES-128).</summary>
    public static byte[] FromKtutil => Convert.FromBase64String(
        "BQIAAABWAAIAC0NPTlRPU08uQ09NAARIVFRQAA5ndy5jb250b3NvLmNvbQAAAAFrAlOnLAASACAe15NYo47rTKsoNooWTFv0Lh4vb++wliNKZNrf" +
        "K7PhYAAAASwAAAA8AAEAC0NPTlRPU08uQ09NAApDT05ORUNUT1IkAAAAAWsCU6cEABcAEPxSXJaD6P4GcJW6LdyXGIkAAAAEAAAAPAABAAtDT05U" +
        "T1NPLkNPTQAKQ09OTkVDVE9SJAAAAAFrAlOnBAARABBIp7BLcHKhYKY2SNP7AiuxAAAABA==");

    /// <summary>Creates an entry whose key bytes are all <paramref name="fill"/>, so that a test can identify it.</summary>
    public static KeytabEntry Entry(
        string name, uint kvno, EncryptionType type, byte fill, DateTimeOffset? written = null, KvnoWidth width = KvnoWidth.Full)
    {
        var length = type is EncryptionType.Aes256CtsHmacSha1 or EncryptionType.Aes256CtsHmacSha384 ? 32 : 16;
        var key = new KerberosKey(type, Enumerable.Repeat(fill, length).ToArray());
        return new KeytabEntry(name.Split('/'), "CONTOSO.COM", 1, written ?? Written, kvno, (int)type, key) { KvnoWidth = width };
    }

    public static byte[] Bytes(params KeytabEntry[] entries)
    {
        using var file = KeytabWriter.Encode(entries);
        return file.Written.ToArray();
    }
}
