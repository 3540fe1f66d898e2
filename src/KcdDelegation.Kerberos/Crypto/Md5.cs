using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Two fields of the protocol are made with MD5 whatever the type of the keys: PA-FOR-USER (MS-SFU §2.2.1) and the GSS channel
/// binding (RFC 4121 §4.1.1.2). A system in FIPS mode may refuse it.</summary>
internal static class Md5
{
    /// <summary>Asked of the platform once: OpenSSL can be put into FIPS mode by its own configuration too.</summary>
    public static bool IsRefused { get; } = Ask();

    private static bool Ask()
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
