#!/usr/bin/perl
# asn-db.pl PACKAGE-DIRECTORY OUT.mmdb: an AS number database in GeoLite2-ASN's schema
#
# PACKAGE-DIRECTORY is the unpacked npm package @ip-location-db/asn. `make asn-db` fetches it and
# calls this. The same package gives the same bytes: rows go in in order, and the build time is the
# package's own version date.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use MaxMind::DB::Writer::Tree;
use Time::Local qw(timegm);

# Networks that the writer keeps as aliases of the IPv4 part of the tree (RFC 4380, RFC 3056): rows inside
# them cannot be stored.
my @aliased = (qr/^2001::/, qr/^2001:0+:/, qr/^2002:/);

sub read_file {
	my ($path) = @_;

	open my $in, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return <$in>;
}

sub insert_file {
	my ($tree, $path) = @_;
	my ($rows, @skipped) = (0);

	open my $in, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	while (my $line = <$in>) {
		my ($from, $to, $asn, $org) = $line =~ /^([0-9a-fA-F.:]+),([0-9a-fA-F.:]+),(\d+),"?(.*?)"?\r?$/
			or die "$path:$.: not a row of the form address,address,number,name\n";

		if (grep { $from =~ $_ } @aliased) {
			push @skipped, "$from-$to AS$asn";
			next;
		}
		$org =~ s/""/"/g;
		$tree->insert_range($from, $to, {
			autonomous_system_number => $asn,
			autonomous_system_organization => $org,
		});
		$rows++;
	}
	close $in;
	print "$path: $rows rows", map({ ", skipped $_ (aliased network)" } @skipped), "\n";
	return $rows;
}

my ($package, $out) = @ARGV;
die "usage: asn-db.pl PACKAGE-DIRECTORY OUT.mmdb\n" if !defined $out;

my $version = decode_json(read_file("$package/package.json"))->{version};
my ($year, $month, $day) = $version =~ /\.(\d{4})(\d\d)(\d\d)\d*$/ or die "version $version has no date\n";
my $epoch = timegm(0, 0, 0, $day, $month - 1, $year);

my %types = (autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string');
my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version => 6,
	record_size => 24,
	database_type => 'mailwitness-ASN',
	languages => ['en'],
	description => { en => "AS numbers from \@ip-location-db/asn $version (CC BY 4.0: RouteViews, DB-IP, NRO)" },
	alias_ipv6_to_ipv4 => 1,
	map_key_type_callback => sub { $types{ $_[0] } },
	remove_reserved_networks => 0,
);
# The writer would stamp the file with the time of day; one that anyone can rebuild must not differ by it.
$tree->_set_build_epoch($epoch);
insert_file($tree, "$package/asn-ipv4.csv");
insert_file($tree, "$package/asn-ipv6.csv");
open my $file, '>:raw', $out or die "$out: $!\n";
$tree->write_tree($file);
close $file or die "$out: $!\n";
