using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Doctor;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>The list of resource-based delegation: who is allowed by it, and what an invalid one means.</summary>
public sealed class AllowedAccountsTests
{
    private const string Own = "S-1-5-21-1-2-3-1104";
    private const string Group = "S-1-5-21-1-2-3-1200";
    private const string Other = "S-1-5-21-1-2-3-1105";
    private const uint AllRights = 0xf01ff;

    [Fact]
    public void The_entries_of_a_list_are_read()
    {
        var list = AllowedAccounts.Read(Create(Allow(Own), Deny(Other)));

        list.IsValid.ShouldBeTrue();
        list.Allowed.ShouldBe([Own]);
        list.Denied.ShouldBe([Other]);
    }

    [Fact]
    public void A_truncated_descriptor_is_not_valid_and_allows_no_account()
    {
        var descriptor = Create(Allow(Own), Deny(Other));

        for (var length = 0; length < descriptor.Length; length++)
        {
            var list = AllowedAccounts.Read(descriptor.AsSpan(0, length));
            list.IsValid.ShouldBeFalse();
            list.IsAllowing([Own]).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(uint.MaxValue - 7)]
    [InlineData(0x8000_0000)]
    [InlineData(19)]
    [InlineData(1)]
    public void A_list_outside_of_the_descriptor_is_not_valid(uint start)
    {
        var descriptor = Create(Allow(Own));
        BitConverter.TryWriteBytes(descriptor.AsSpan(16), start).ShouldBeTrue();

        AllowedAccounts.Read(descriptor).IsValid.ShouldBeFalse();
    }

    [Fact]
    public void A_descriptor_without_a_list_allows_everyone()
    {
        var descriptor = Create(Allow(Own));
        descriptor.AsSpan(16, 4).Clear();

        AllowedAccounts.Read(descriptor).IsAllowing([Other]).ShouldBeTrue();
    }

    [Fact]
    public void An_account_is_allowed_by_itself_by_a_group_and_as_everyone()
    {
        AllowedAccounts.Read(Create(Allow(Own))).IsAllowing([Own, Group]).ShouldBeTrue();
        AllowedAccounts.Read(Create(Allow(Group))).IsAllowing([Own, Group]).ShouldBeTrue();
        AllowedAccounts.Read(Create(Allow("S-1-1-0"))).IsAllowing([Own]).ShouldBeTrue();
        AllowedAccounts.Read(Create(Allow("S-1-1-0"))).AllowsEveryone.ShouldBeTrue();
        AllowedAccounts.Read(Create(Allow(Own))).AllowsEveryone.ShouldBeFalse();
        AllowedAccounts.Read(Create(Allow("S-1-5-11"))).IsAllowing([Own]).ShouldBeTrue();
        AllowedAccounts.Read(Create(Allow(Other))).IsAllowing([Own, Group]).ShouldBeFalse();
        AllowedAccounts.Read(Create()).IsAllowing([Own, Group]).ShouldBeFalse();
    }

    [Fact]
    public void The_first_entry_for_the_account_or_a_group_decides()
    {
        AllowedAccounts.Read(Create(Deny(Group), Allow(Own))).IsAllowing([Own, Group]).ShouldBeFalse();
        AllowedAccounts.Read(Create(Allow(Own), Deny(Group))).IsAllowing([Own, Group]).ShouldBeTrue();
        AllowedAccounts.Read(Create(Deny(Other), Allow(Own))).IsAllowing([Own, Group]).ShouldBeTrue();
    }

    [Fact]
    public void Entries_for_objects_below_and_entries_without_the_right_do_not_count()
    {
        AllowedAccounts.Read(Create(CreateEntry(Own, type: 0, flags: 0x8, AllRights))).IsAllowing([Own]).ShouldBeFalse();
        AllowedAccounts.Read(Create(CreateEntry(Own, type: 0, flags: 0, rights: 0x1))).IsAllowing([Own]).ShouldBeFalse();
        AllowedAccounts.Read(Create(CreateEntry(Own, type: 0, flags: 0, rights: 0x100))).IsAllowing([Own]).ShouldBeTrue();
    }

    private static byte[] Allow(string account) => CreateEntry(account, type: 0, flags: 0, AllRights);

    private static byte[] Deny(string account) => CreateEntry(account, type: 1, flags: 0, AllRights);

    private static byte[] CreateEntry(string account, byte type, byte flags, uint rights)
    {
        var sid = SecurityIdentifiers.Parse(account);
        return [type, flags, (byte)(8 + sid.Length), 0, .. BitConverter.GetBytes(rights), .. sid];
    }

    /// <summary>Creates a descriptor in self-relative form with a list.</summary>
    private static byte[] Create(params byte[][] entries)
    {
        byte[] content = [.. entries.SelectMany(entry => entry)];
        byte[] list = [2, 0, (byte)(8 + content.Length), 0, (byte)entries.Length, 0, 0, 0, .. content];
        return [1, 0, 4, 0x80, .. new byte[12], 20, 0, 0, 0, .. list];
    }
}
