using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>One misconfiguration and its remedy on one kind of KDC.</summary>
/// <remarks>In every command {user}, {account}, {target}, {spn}, {keytab} and {domain} are replaced by the names of the test.</remarks>
/// <param name="Name">The misconfiguration.</param>
/// <param name="Parts">The realms where it can be provoked and corrected.</param>
internal sealed record RemedyCase(string Name, params string[] Parts)
{
    /// <summary>The commands that cause the failure.</summary>
    public required string[] Breaks { get; init; }

    /// <summary>What the client sees of the refusal.</summary>
    public required Sight Seen { get; init; }

    /// <summary>The first words of the printed commands that correct it, in the order in which they are run.</summary>
    public required string[] Cures { get; init; }

    /// <summary>The words of the printed command that the administrator replaces, and their replacements.</summary>
    public IReadOnlyDictionary<string, string> FilledIn { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the account logs on with a keytab that is written before the failure is caused. Otherwise with its
    /// password.</summary>
    public bool ByKeytab { get; init; }

    /// <summary>Whether the account logs on with a keytab after the correction.</summary>
    public bool CuredByKeytab { get; init; }

    public Func<LabCompany, KerberosPrincipal> User { get; init; } = static company =>
        KerberosPrincipal.Principal(company.User, company.Realm.Realm);
}
