using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The account's long-term key that the KDC's hints (ETYPE-INFO2, RFC 4120 §5.2.7.5) select.</summary>
/// <param name="Key">The key, owned by the account.</param>
internal sealed record LogOnKey(KerberosKey Key)
{
    /// <summary>The salt that the KDC named, or null if it named none.</summary>
    public string? Salt { get; init; }

    /// <summary>The largest number of PBKDF2 iterations. The client computes them before the KDC has proven anything. 2^24 take seconds;
    /// more is refused.</summary>
    private const uint MaxIterations = 1 << 24;

    /// <summary>Chooses the key to prove when the KDC requires pre-authentication.</summary>
    /// <exception cref="KerberosException">The KDC names no type that was offered. A guess would count towards the account's
    /// lock-out.</exception>
    public static LogOnKey ChooseToProve(
        ExchangeContext context, IReadOnlyList<EncryptionType> offered, IReadOnlyList<EtypeInfo2Entry> hints) =>
        // RFC 4120 §3.1.3: a KDC that knows AES sends ETYPE-INFO2 with the types that the account and the request have in common.
        hints.Count > 0
            ? Choose(context, offered, hints)
            : throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.EncryptionTypeRefused,
                Detail = $"the KDC has no key for the account of the types {string.Join(", ", offered)}; it may have RC4 keys only",
            });

    /// <exception cref="KerberosException">No type in common, or the KDC names a number of iterations that is out of bounds.</exception>
    public static LogOnKey Choose(ExchangeContext context, IReadOnlyList<EncryptionType> offered, IReadOnlyList<EtypeInfo2Entry> hints)
    {
        // RFC 4120 §5.2.7.5: "the entries are in the order of the KDC's preference"; the first that was offered is taken.
        var hint = hints.FirstOrDefault(entry => offered.Contains(entry.Type));
        if (hint is null && hints.Count > 0)
            throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.EncryptionTypeRefused,
                Detail = $"the KDC has keys of {string.Join(", ", hints.Select(entry => entry.Type).Distinct())} for the account; "
                    + $"this client can use {string.Join(", ", offered)}",
            });
        var type = hint?.Type ?? offered[0];
        var profile = EncryptionProfile.Get(type);
        var iterations = hint?.Iterations ?? (uint)profile.DefaultIterations;
        if (iterations < profile.DefaultIterations || iterations > MaxIterations)
        {
            throw KerberosException.Rejected($"the KDC asks for {iterations} iterations of key derivation; {type} takes "
                + $"{profile.DefaultIterations} to {MaxIterations}");
        }
        // RFC 4120 §4: the default salt is the realm and the components of the name, joined without separators.
        var salt = hint?.Salt ?? context.Realm + context.Account.Name.Replace("/", "", StringComparison.Ordinal);
        return new LogOnKey(context.Account.Keys.GetLogOnKey(context.Realm, type, salt, (int)iterations)) { Salt = hint?.Salt };
    }
}
