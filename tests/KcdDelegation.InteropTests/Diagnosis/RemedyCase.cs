using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>One ailment and its cure on one kind of KDC. In every command {user}, {account}, {target}, {spn}, {keytab} and {domain} stand
/// for the test's own.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Parts">The realms that have the ailment and know the cure.</param>
internal sealed record RemedyCase(string Name, params string[] Parts)
{
    /// <summary>Makes it wrong.</summary>
    public required string[] Breaks { get; init; }

    /// <summary>What the refused request shows.</summary>
    public required Sight Seen { get; init; }

    /// <summary>How the commands of the remedy that cure it begin; they are applied in this order.</summary>
    public required string[] Cures { get; init; }

    /// <summary>What the administrator fills in or adds: words of the printed command, and what they become.</summary>
    public IReadOnlyDictionary<string, string> FilledIn { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the account logs on by keytab, written before it breaks; else by its password.</summary>
    public bool ByKeytab { get; init; }

    /// <summary>Whether the account is to log on by keytab once it is cured.</summary>
    public bool CuredByKeytab { get; init; }

    public Func<LabCompany, KerberosPrincipal> User { get; init; } = static company => KerberosPrincipal.Principal(company.User, company.Realm.Realm);
}
