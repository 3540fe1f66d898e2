using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The availability of MD5, which a system in FIPS mode may refuse.</summary>
/// <remarks>Two fields of the protocol use MD5 for keys of every type: PA-FOR-USER (MS-SFU §2.2.1) and the GSS channel binding (RFC 4121
/// §4.1.1.2).</remarks>
internal static class Md5
{
    /// <summary>Whether the platform refuses MD5. Probed once, because OpenSSL's own configuration can also enable FIPS mode.</summary>
    public static bool IsRefused { get; } = Probe();

    private static bool Probe()
    {
        try
        {
            MD5.HashData([]);
            return false;
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            return true;
        }
    }
}
