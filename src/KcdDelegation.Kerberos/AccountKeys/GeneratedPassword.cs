using System.Runtime.InteropServices;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>The generation of passwords that Active Directory, Samba, MIT and Heimdal accept.</summary>
internal static class GeneratedPassword
{
    /// <summary>The number of characters of six random bits each. Windows gives its computer accounts 120 too.</summary>
    public const int Length = 120;

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary>Creates a password with characters of every class. It contains no part of the account's name.</summary>
    /// <remarks>Active Directory refuses passwords that contain the account's name (MS-SAMR §3.1.1.7.2).</remarks>
    public static Password Create(string account)
    {
        using var random = new PinnedSecret(Length);
        var characters = GC.AllocateUninitializedArray<char>(Length, pinned: true);
        try
        {
            do
            {
                RandomNumberGenerator.Fill(random.Span);
                for (var i = 0; i < Length; i++)
                    characters[i] = Alphabet[random.Span[i] % Alphabet.Length];
            }
            while (!IsAcceptable(characters, account));
            return new Password(characters);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(characters.AsSpan()));
        }
    }

    private static bool IsAcceptable(ReadOnlySpan<char> password, string account)
    {
        if (!password.ContainsAnyInRange('A', 'Z') || !password.ContainsAnyInRange('a', 'z') || !password.ContainsAnyInRange('0', '9')
            || !password.ContainsAny('-', '_'))
            return false;
        foreach (var part in account.Split(['$', '/', '.', '-', '_'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Length >= 3 && password.Contains(part, StringComparison.OrdinalIgnoreCase))
                return false;
        }
        return true;
    }
}
