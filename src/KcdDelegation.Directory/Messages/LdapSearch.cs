using KcdDelegation.DirectoryServices.Messages;

namespace KcdDelegation.DirectoryServices;

/// <summary>The entries that a search covers (RFC 4511 §4.5.1.2).</summary>
public enum LdapScope
{
    /// <summary>The base only.</summary>
    Base = 0,

    /// <summary>The entries directly below the base.</summary>
    OneLevel = 1,

    /// <summary>The base and everything below it.</summary>
    Subtree = 2,
}

/// <summary>A search. Immutable.</summary>
public sealed record LdapSearch
{
    /// <summary>Gets the distinguished name of the base; empty for the server's own entry (rootDSE).</summary>
    public required string Base { get; init; }

    /// <summary>Gets the entries to search.</summary>
    public LdapScope Scope { get; init; } = LdapScope.Subtree;

    /// <summary>Gets the filter.</summary>
    public LdapFilter Filter { get; init; } = LdapFilter.Present("objectClass");

    /// <summary>Gets the attributes to return. Only these are read; an empty list returns names only.</summary>
    public IReadOnlyList<string> Attributes { get; init; } = [];

    /// <summary>Gets the number of entries per page (RFC 2696); 0 for a search without pages. Servers limit searches without pages to about
    /// 1,000 entries.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Gets whether security descriptors are read, without the system list, which needs a privilege.</summary>
    public bool ReadsSecurityDescriptors { get; init; }

    /// <summary>Gets whether the values are secret. They are kept in pinned memory then, which <see cref="LdapEntry.Dispose"/>
    /// zeroes.</summary>
    public bool ReadsSecrets { get; init; }

    internal IReadOnlyList<string> RequestedAttributes =>
        // RFC 4511 §4.5.1.8: "1.1" requests no attributes; an empty list would request all of them.
        Attributes.Count > 0 ? Attributes : ["1.1"];

    internal void ThrowIfInvalid()
    {
        foreach (var attribute in Attributes)
        {
            if (!LdapAttributeName.IsValid(attribute))
                throw new ArgumentException($"'{attribute}' is not the name of an attribute.", nameof(Attributes));
        }
        ArgumentOutOfRangeException.ThrowIfNegative(PageSize);
    }
}
