namespace KcdDelegation.Diagnosis;

/// <summary>An account as the commands of a directory name it.</summary>
/// <param name="Name">The name or a placeholder, enclosed in quotes if it is not a fixed word.</param>
/// <param name="Domain">The DNS name of the account's domain. A cmdlet without it asks the domain of the machine on which it runs, and
/// may change an account of the same name there.</param>
/// <param name="Cmdlet">The suffix of the cmdlets for its class: ADUser or ADComputer.</param>
internal sealed record DirectoryEntry(string Name, string Domain, string Cmdlet)
{
    /// <summary>The account and its domain, for cmdlets.</summary>
    public string AtServer => $"{Name} -Server {Domain}";
}
